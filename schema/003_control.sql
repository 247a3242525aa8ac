-- Control and failure policy: sweeps that rest, limits, what jobs need of a worker, the
-- order of jobs, hosts that rest.
--
-- A job's class says what it needs and which limits it counts against; the coordinator
-- keeps the ready jobs of each class apart, and there are few classes. Class 0 needs
-- nothing and is limited by nothing.

ALTER TABLE sweep ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_why text NOT NULL DEFAULT '',
    ADD COLUMN on_failure json;
COMMENT ON COLUMN sweep.paused_at IS 'Set while the sweep is paused: its jobs are held unless another sweep wants them';
COMMENT ON COLUMN sweep.paused_why IS 'By a person, or the failures that stopped it';
COMMENT ON COLUMN sweep.on_failure IS 'When the sweep stops by itself: {"failed": n, "percent": p}; null: never';

CREATE TABLE job_class (
    id     integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    terms  jsonb NOT NULL,
    limits bigint[] NOT NULL,
    UNIQUE (terms, limits)
);
INSERT INTO job_class (id, terms, limits) OVERRIDING SYSTEM VALUE VALUES (0, '{}', '{}');
COMMENT ON TABLE job_class IS 'What jobs need and are limited by; rows are only added';
COMMENT ON COLUMN job_class.id IS 'Number of the class';
COMMENT ON COLUMN job_class.terms IS 'memory_bytes, threads, labels, backend: what a worker must have; timeout_s, stall_s: when an attempt is ended';
COMMENT ON COLUMN job_class.limits IS 'Rows of job_limit that count jobs of this class, ascending';

CREATE TABLE job_limit (
    id    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sweep bigint REFERENCES sweep ON DELETE CASCADE,
    stage text NOT NULL DEFAULT '',
    label text NOT NULL DEFAULT '',
    most  integer NOT NULL CHECK (most >= 0),
    UNIQUE NULLS NOT DISTINCT (sweep, stage, label)
);
COMMENT ON TABLE job_limit IS 'At most so many jobs of a kind run at once';
COMMENT ON COLUMN job_limit.id IS 'Number of the limit';
COMMENT ON COLUMN job_limit.sweep IS 'Counts jobs of this sweep; null: of all';
COMMENT ON COLUMN job_limit.stage IS 'Counts jobs of this stage; empty: of all';
COMMENT ON COLUMN job_limit.label IS 'Counts jobs that need this label, a resource; empty: all';
COMMENT ON COLUMN job_limit.most IS 'How many may run at once';

ALTER TABLE job ADD COLUMN class integer NOT NULL DEFAULT 0, ADD COLUMN place bigint;
COMMENT ON COLUMN job.class IS 'Row of job_class';
COMMENT ON COLUMN job.place IS 'Among jobs of equal priority the lowest is first; null: the id';
COMMENT ON COLUMN job.priority IS 'Higher runs earlier; then the lower place';

ALTER TABLE worker ADD COLUMN memory_bytes bigint NOT NULL DEFAULT 0,
    ADD COLUMN labels text NOT NULL DEFAULT '',
    ADD COLUMN backend text NOT NULL DEFAULT '';
COMMENT ON COLUMN worker.memory_bytes IS 'Memory that its jobs may use together; 0: it did not say';
COMMENT ON COLUMN worker.labels IS 'Words that its owner gave it, separated by commas';
COMMENT ON COLUMN worker.backend IS 'Of its engine';

CREATE TABLE host_rest (
    host  text PRIMARY KEY,
    until timestamptz NOT NULL,
    why   text NOT NULL
);
COMMENT ON TABLE host_rest IS 'Machines on which jobs failed that other machines could do: they get no jobs for a while';
COMMENT ON COLUMN host_rest.host IS 'Name of the machine, as its workers say it';
COMMENT ON COLUMN host_rest.until IS 'When it is tried again';
COMMENT ON COLUMN host_rest.why IS 'A sentence';
CREATE INDEX attempt_fingerprint ON attempt (fingerprint) WHERE fingerprint IS NOT NULL;

ALTER TABLE request DROP CONSTRAINT request_kind_check,
    ADD CONSTRAINT request_kind_check CHECK (kind IN ('cancel', 'hold'));
COMMENT ON COLUMN request.kind IS 'cancel, or hold: stop, and wait for resume';
COMMENT ON COLUMN attempt.outcome IS 'ok, preempted (its worker left), returned (never delivered), lost (silent worker), cancelled, or the kind of failure; null while open';
