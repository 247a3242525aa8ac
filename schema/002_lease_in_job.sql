-- A lease is a change of the job's row alone, and the row of its attempt is written when
-- the attempt starts or ends: one write less for each job, and no foreign keys to check on
-- the way. Jobs that changed are told to the coordinator by number, so that it need not
-- read the whole queue again.

ALTER TABLE job ADD COLUMN worker bigint, ADD COLUMN leased_at timestamptz;
COMMENT ON COLUMN job.worker IS 'Worker process that got the newest lease';
COMMENT ON COLUMN job.leased_at IS 'When the newest lease was committed; it is sent after that';
UPDATE job j SET worker = a.worker, leased_at = a.leased_at FROM attempt a
    WHERE a.job = j.id AND a.attempt = j.attempt;
ALTER TABLE job SET (fillfactor = 50);

ALTER TABLE attempt DROP CONSTRAINT attempt_job_fkey, DROP CONSTRAINT attempt_worker_fkey;
ALTER TABLE metric_final DROP CONSTRAINT metric_final_job_fkey,
    DROP CONSTRAINT metric_final_key_fkey;
COMMENT ON TABLE attempt IS 'Runs of jobs under a lease: of those that have started or ended';

CREATE TABLE news (
    id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job bigint
);
COMMENT ON TABLE news IS 'Jobs that people have changed, until the coordinator has looked at them';
COMMENT ON COLUMN news.id IS 'Order; rows are written under the edit lock, so it is that of their commits';
COMMENT ON COLUMN news.job IS 'Number of the job; null: very many';
