-- A sweep's jobs, edges and cells are copied in by one transaction that has just made the
-- rows they point to (coordinator/db/jobs_insert.c, sweeps.c), and points of curves name
-- keys that the same connection has looked up: checking each row again took most of the
-- time of a submit.

ALTER TABLE job DROP CONSTRAINT job_id_fkey;
ALTER TABLE job_dep DROP CONSTRAINT job_dep_child_fkey, DROP CONSTRAINT job_dep_parent_fkey;
ALTER TABLE cell_job DROP CONSTRAINT cell_job_cell_fkey, DROP CONSTRAINT cell_job_job_fkey;
ALTER TABLE metric DROP CONSTRAINT metric_key_fkey;
