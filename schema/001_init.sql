-- The queue and the results. PostgreSQL is the truth: what is not here has not happened.
--
-- Who writes what: `relusweep` (submit, retry, cancel) writes sweep, cell, cell_job,
-- job_spec, job_dep, request, and job inside short transactions under one advisory lock;
-- everything else is written by the one coordinator that holds the leader lock.
--
-- The fence: job.attempt grows by one with each lease, and every write that an attempt
-- causes is conditional on (job.id, job.attempt, job.state = 'leased').

CREATE TYPE job_state AS ENUM ('blocked', 'ready', 'leased', 'succeeded', 'failed',
                               'quarantined', 'cancelled', 'upstream_failed', 'held');
COMMENT ON TYPE job_state IS 'Life of a job; the same words as in coordinator/dispatch/job_state.h';

CREATE TABLE leader (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch  bigint NOT NULL,
    holder text NOT NULL,
    since  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO leader (epoch, holder) VALUES (0, '');
COMMENT ON TABLE leader IS 'One row: the coordinator that may write. It also holds an advisory lock; other connections of the coordinator check the epoch in their transactions';
COMMENT ON COLUMN leader.one IS 'Always true: there is one row';
COMMENT ON COLUMN leader.epoch IS 'Grows by one with every coordinator that takes over';
COMMENT ON COLUMN leader.holder IS 'host:process id of the coordinator, for people';
COMMENT ON COLUMN leader.since IS 'When it took over';

CREATE TABLE catalog (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    digest      text NOT NULL UNIQUE,
    doc         json NOT NULL,
    declared_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE catalog IS 'Catalogues that workers have declared: methods, stages and their parameters';
COMMENT ON COLUMN catalog.id IS 'Number of the catalogue';
COMMENT ON COLUMN catalog.digest IS 'SHA-256 of the canonical text, hexadecimal';
COMMENT ON COLUMN catalog.doc IS 'The document, as in shared/spec/catalog.h';
COMMENT ON COLUMN catalog.declared_at IS 'When a worker declared it last; the newest one counts';

CREATE TABLE sweep (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name         text NOT NULL UNIQUE,
    title        text NOT NULL,
    path         text NOT NULL,
    text         text NOT NULL,
    sets         text NOT NULL,
    axes         json NOT NULL,
    report       json NOT NULL,
    plan_digest  text NOT NULL,
    revision     integer NOT NULL DEFAULT 1,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    cancelled_at timestamptz
);
COMMENT ON TABLE sweep IS 'A sweep file that was submitted; submitting the same name again makes a new revision';
COMMENT ON COLUMN sweep.id IS 'Number of the sweep';
COMMENT ON COLUMN sweep.name IS 'Its name in the file';
COMMENT ON COLUMN sweep.title IS 'Heading of its report';
COMMENT ON COLUMN sweep.path IS 'Where the file was, for people';
COMMENT ON COLUMN sweep.text IS 'The file as it was read';
COMMENT ON COLUMN sweep.sets IS 'The --set overrides, one a line';
COMMENT ON COLUMN sweep.axes IS 'Names of the parameters that vary, in the order of the file';
COMMENT ON COLUMN sweep.report IS 'What to draw: x, y, group_over, reference';
COMMENT ON COLUMN sweep.plan_digest IS 'SHA-256 over text, overrides and all cells: equal means that nothing changed';
COMMENT ON COLUMN sweep.revision IS 'Grows by one whenever plan_digest changes';
COMMENT ON COLUMN sweep.submitted_at IS 'When this revision was submitted';
COMMENT ON COLUMN sweep.cancelled_at IS 'Set while the whole sweep is cancelled: its claim on shared jobs does not count';

CREATE TABLE cell (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sweep   bigint NOT NULL REFERENCES sweep ON DELETE CASCADE,
    place   integer NOT NULL,
    params  jsonb NOT NULL,
    written jsonb NOT NULL,
    UNIQUE (sweep, place)
);
COMMENT ON TABLE cell IS 'Points of the grid of the current revision of a sweep';
COMMENT ON COLUMN cell.id IS 'Number of the cell';
COMMENT ON COLUMN cell.sweep IS 'Sweep that it belongs to';
COMMENT ON COLUMN cell.place IS 'Order in the grid, from 0';
COMMENT ON COLUMN cell.params IS 'Canonical value of every parameter';
COMMENT ON COLUMN cell.written IS 'The subset that the file or --set chose';

CREATE TABLE job_spec (
    job        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    digest     text NOT NULL UNIQUE,
    method     text NOT NULL,
    stage      text NOT NULL,
    spec       json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE job_spec IS 'What a job is: cold data, never updated';
COMMENT ON COLUMN job_spec.job IS 'Number of the job';
COMMENT ON COLUMN job_spec.digest IS 'SHA-256 of the canonical spec, hexadecimal: the name of the job, shared by all sweeps';
COMMENT ON COLUMN job_spec.method IS 'Method, for people and grouping';
COMMENT ON COLUMN job_spec.stage IS 'Stage of the method';
COMMENT ON COLUMN job_spec.spec IS 'The document that was hashed, byte for byte (json keeps the text)';
COMMENT ON COLUMN job_spec.created_at IS 'When it was first submitted';

-- Hot and narrow; nothing that changes is indexed, so that updates stay in their page.
CREATE TABLE job (
    id         bigint PRIMARY KEY REFERENCES job_spec,
    attempt    bigint NOT NULL DEFAULT 0,
    state      job_state NOT NULL DEFAULT 'blocked',
    priority   integer NOT NULL DEFAULT 0,
    n_error    smallint NOT NULL DEFAULT 0,
    n_lost     smallint NOT NULL DEFAULT 0,
    n_oom      smallint NOT NULL DEFAULT 0,
    n_timeout  smallint NOT NULL DEFAULT 0,
    n_stopped  smallint NOT NULL DEFAULT 0,
    not_before timestamptz,
    cause      bigint
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
COMMENT ON TABLE job IS 'Where each job is in its life; one narrow row per job';
COMMENT ON COLUMN job.id IS 'Number of the job, as in job_spec';
COMMENT ON COLUMN job.attempt IS 'Number of the newest attempt, 0 before the first lease: the fencing token';
COMMENT ON COLUMN job.state IS 'State; moved only by coordinator/db/jobs.c';
COMMENT ON COLUMN job.priority IS 'Higher runs earlier; then the lower id';
COMMENT ON COLUMN job.n_error IS 'Attempts that ended with an error since the last reset by a person';
COMMENT ON COLUMN job.n_lost IS 'Attempts whose worker or process vanished';
COMMENT ON COLUMN job.n_oom IS 'Attempts that ran out of memory';
COMMENT ON COLUMN job.n_timeout IS 'Attempts that ran out of time';
COMMENT ON COLUMN job.n_stopped IS 'Attempts handed back or stopped on request; never limited';
COMMENT ON COLUMN job.not_before IS 'A ready job waits until then after a failure; null: at once';
COMMENT ON COLUMN job.cause IS 'For upstream_failed: the job that failed first';

CREATE TABLE job_dep (
    child  bigint NOT NULL REFERENCES job_spec,
    parent bigint NOT NULL REFERENCES job_spec,
    input  text NOT NULL,
    PRIMARY KEY (child, parent)
);
CREATE INDEX job_dep_parent ON job_dep (parent);
COMMENT ON TABLE job_dep IS 'Edges: a child is ready when all of its parents have succeeded';
COMMENT ON COLUMN job_dep.child IS 'Job that waits';
COMMENT ON COLUMN job_dep.parent IS 'Job that it needs';
COMMENT ON COLUMN job_dep.input IS 'Name of the input in the spec of the child, a stage name';

CREATE TABLE cell_job (
    cell  bigint NOT NULL REFERENCES cell ON DELETE CASCADE,
    place integer NOT NULL,
    job   bigint NOT NULL REFERENCES job_spec,
    PRIMARY KEY (cell, place)
);
CREATE INDEX cell_job_job ON cell_job (job);
COMMENT ON TABLE cell_job IS 'The chain of jobs of a cell; jobs are shared between cells and sweeps';
COMMENT ON COLUMN cell_job.cell IS 'Cell';
COMMENT ON COLUMN cell_job.place IS 'Order in the chain from 0; the last one is the leaf';
COMMENT ON COLUMN cell_job.job IS 'Job';

CREATE TABLE worker (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    boot       text NOT NULL UNIQUE,
    name       text NOT NULL,
    host       text NOT NULL,
    version    text NOT NULL,
    slots      integer NOT NULL,
    threads    integer NOT NULL,
    connected  boolean NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE worker IS 'Worker processes that have said hello';
COMMENT ON COLUMN worker.id IS 'Number of the worker process';
COMMENT ON COLUMN worker.boot IS 'Random name that the process chose at its start';
COMMENT ON COLUMN worker.name IS 'Its name for people';
COMMENT ON COLUMN worker.host IS 'Machine that it runs on';
COMMENT ON COLUMN worker.version IS 'Program version';
COMMENT ON COLUMN worker.slots IS 'Jobs that it runs at once';
COMMENT ON COLUMN worker.threads IS 'Threads of each of these jobs';
COMMENT ON COLUMN worker.connected IS 'False after goodbye or silence';
COMMENT ON COLUMN worker.first_seen IS 'First hello';
COMMENT ON COLUMN worker.last_seen IS 'Last hello, goodbye or end by silence; heartbeats do not write';

CREATE TABLE attempt (
    job            bigint NOT NULL REFERENCES job_spec,
    attempt        bigint NOT NULL,
    worker         bigint NOT NULL REFERENCES worker,
    leased_at      timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    ended_at       timestamptz,
    outcome        text,
    error          text,
    fingerprint    text,
    exit_code      integer,
    signal         integer,
    seconds        double precision,
    peak_rss_bytes bigint,
    pid            bigint,
    provenance     json,
    metric_seq     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (job, attempt)
) WITH (fillfactor = 80);
COMMENT ON TABLE attempt IS 'One run of a job under a lease';
COMMENT ON COLUMN attempt.job IS 'Job';
COMMENT ON COLUMN attempt.attempt IS 'Number of the attempt, from 1';
COMMENT ON COLUMN attempt.worker IS 'Worker process that got the lease';
COMMENT ON COLUMN attempt.leased_at IS 'When the lease was committed; it is sent after that';
COMMENT ON COLUMN attempt.started_at IS 'When the worker reported a running process';
COMMENT ON COLUMN attempt.ended_at IS 'When the end was committed; null while open';
COMMENT ON COLUMN attempt.outcome IS 'ok, returned (handed back), lost (silent worker), or the kind of failure; null while open';
COMMENT ON COLUMN attempt.error IS 'Error text for people';
COMMENT ON COLUMN attempt.fingerprint IS 'Failures with equal fingerprints are the same failure (numbers and paths left out)';
COMMENT ON COLUMN attempt.exit_code IS 'Exit code of the stage process';
COMMENT ON COLUMN attempt.signal IS 'Signal that ended the stage process, 0 if none';
COMMENT ON COLUMN attempt.seconds IS 'Run time as the worker measured it, in seconds';
COMMENT ON COLUMN attempt.peak_rss_bytes IS 'Peak memory of the stage process, in bytes';
COMMENT ON COLUMN attempt.pid IS 'Process id of the stage on its machine';
COMMENT ON COLUMN attempt.provenance IS 'Host, versions, numerics profile and threads of the stage process';
COMMENT ON COLUMN attempt.metric_seq IS 'Last batch of curve points that was committed';

CREATE TABLE metric_key (
    id   integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    unit text NOT NULL,
    goal text NOT NULL CHECK (goal IN ('none', 'max', 'min')),
    UNIQUE (name, unit, goal)
);
COMMENT ON TABLE metric_key IS 'Names of metrics, once each';
COMMENT ON COLUMN metric_key.id IS 'Number of the metric';
COMMENT ON COLUMN metric_key.name IS 'Name, such as CA or train/loss';
COMMENT ON COLUMN metric_key.unit IS 'Unit, such as %';
COMMENT ON COLUMN metric_key.goal IS 'Whether more is better: none, max, min';

CREATE TABLE metric (
    job     bigint NOT NULL,
    attempt bigint NOT NULL,
    seq     bigint NOT NULL,
    key     integer NOT NULL REFERENCES metric_key,
    step    bigint NOT NULL,
    value   double precision NOT NULL
);
CREATE INDEX metric_job ON metric (job, attempt);
COMMENT ON TABLE metric IS 'Points of curves, append-only';
COMMENT ON COLUMN metric.job IS 'Job';
COMMENT ON COLUMN metric.attempt IS 'Attempt that measured it';
COMMENT ON COLUMN metric.seq IS 'Batch that brought it';
COMMENT ON COLUMN metric.key IS 'Which metric';
COMMENT ON COLUMN metric.step IS 'Optimiser step or epoch';
COMMENT ON COLUMN metric.value IS 'Value';

CREATE TABLE metric_final (
    job     bigint NOT NULL REFERENCES job_spec,
    key     integer NOT NULL REFERENCES metric_key,
    attempt bigint NOT NULL,
    value   double precision NOT NULL,
    PRIMARY KEY (job, key)
);
COMMENT ON TABLE metric_final IS 'Final metrics of succeeded jobs: what reports read';
COMMENT ON COLUMN metric_final.job IS 'Job';
COMMENT ON COLUMN metric_final.key IS 'Which metric';
COMMENT ON COLUMN metric_final.attempt IS 'The attempt that succeeded';
COMMENT ON COLUMN metric_final.value IS 'Value';

CREATE TABLE blob (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sha        text NOT NULL UNIQUE,
    size       bigint NOT NULL CHECK (size >= 0),
    received   bigint NOT NULL DEFAULT 0 CHECK (received <= size),
    stored     boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE blob IS 'Bytes named by their digest: weights, masks, checkpoints';
COMMENT ON COLUMN blob.id IS 'Number that the chunks are filed under';
COMMENT ON COLUMN blob.sha IS 'SHA-256 of the bytes, hexadecimal';
COMMENT ON COLUMN blob.size IS 'Length in bytes';
COMMENT ON COLUMN blob.received IS 'Bytes that are in blob_chunk so far; an upload goes on from here';
COMMENT ON COLUMN blob.stored IS 'All bytes are here and the digest was verified';
COMMENT ON COLUMN blob.created_at IS 'When the upload began';

CREATE TABLE blob_chunk (
    blob  bigint NOT NULL REFERENCES blob ON DELETE CASCADE,
    place integer NOT NULL,
    data  bytea NOT NULL,
    PRIMARY KEY (blob, place)
);
ALTER TABLE blob_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE blob_chunk IS 'Pieces of blobs, 1 MiB each but the last; weights do not compress, so storage is external';
COMMENT ON COLUMN blob_chunk.blob IS 'Blob';
COMMENT ON COLUMN blob_chunk.place IS 'Order from 0';
COMMENT ON COLUMN blob_chunk.data IS 'The bytes';

CREATE TABLE artifact (
    job     bigint NOT NULL REFERENCES job_spec,
    attempt bigint NOT NULL,
    name    text NOT NULL,
    blob    bigint NOT NULL REFERENCES blob,
    PRIMARY KEY (job, name)
);
CREATE INDEX artifact_blob ON artifact (blob);
COMMENT ON TABLE artifact IS 'What succeeded jobs have left, by name';
COMMENT ON COLUMN artifact.job IS 'Job';
COMMENT ON COLUMN artifact.attempt IS 'The attempt that succeeded';
COMMENT ON COLUMN artifact.name IS 'Name, such as model';
COMMENT ON COLUMN artifact.blob IS 'The bytes';

CREATE TABLE checkpoint_head (
    job     bigint PRIMARY KEY REFERENCES job_spec,
    attempt bigint NOT NULL,
    step    bigint NOT NULL,
    blob    bigint NOT NULL REFERENCES blob,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX checkpoint_head_blob ON checkpoint_head (blob);
COMMENT ON TABLE checkpoint_head IS 'Where the next attempt of an unfinished job goes on';
COMMENT ON COLUMN checkpoint_head.job IS 'Job';
COMMENT ON COLUMN checkpoint_head.attempt IS 'Attempt that wrote it, the current one at that time';
COMMENT ON COLUMN checkpoint_head.step IS 'Step of the stage that it stands at';
COMMENT ON COLUMN checkpoint_head.blob IS 'The bytes';
COMMENT ON COLUMN checkpoint_head.at IS 'When it was announced';

CREATE TABLE log_chunk (
    job     bigint NOT NULL,
    attempt bigint NOT NULL,
    start   bigint NOT NULL,
    text    text NOT NULL,
    PRIMARY KEY (job, attempt, start)
);
COMMENT ON TABLE log_chunk IS 'Standard error of stage processes, in pieces';
COMMENT ON COLUMN log_chunk.job IS 'Job';
COMMENT ON COLUMN log_chunk.attempt IS 'Attempt';
COMMENT ON COLUMN log_chunk.start IS 'Byte offset of this piece in the log of the attempt';
COMMENT ON COLUMN log_chunk.text IS 'The piece';

CREATE TABLE event (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at      timestamptz NOT NULL DEFAULT now(),
    job     bigint,
    attempt bigint,
    kind    text NOT NULL,
    detail  text NOT NULL DEFAULT ''
);
CREATE INDEX event_job ON event (job) WHERE job IS NOT NULL;
COMMENT ON TABLE event IS 'History for people, append-only; nothing is decided from it';
COMMENT ON COLUMN event.id IS 'Order';
COMMENT ON COLUMN event.at IS 'When';
COMMENT ON COLUMN event.job IS 'Job, if it is about one';
COMMENT ON COLUMN event.attempt IS 'Attempt, if it is about one';
COMMENT ON COLUMN event.kind IS 'leader, submitted, lost, returned, fenced, retry, failed, quarantined, cancelled, reset';
COMMENT ON COLUMN event.detail IS 'A sentence';

CREATE TABLE request (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind    text NOT NULL CHECK (kind IN ('cancel')),
    job     bigint NOT NULL REFERENCES job_spec,
    hard    boolean NOT NULL DEFAULT false,
    at      timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);
CREATE INDEX request_open ON request (job) WHERE done_at IS NULL;
COMMENT ON TABLE request IS 'What people ask of jobs that are running; the coordinator acts on it';
COMMENT ON COLUMN request.id IS 'Order';
COMMENT ON COLUMN request.kind IS 'cancel';
COMMENT ON COLUMN request.job IS 'Job';
COMMENT ON COLUMN request.hard IS 'True: stop without a checkpoint';
COMMENT ON COLUMN request.at IS 'When it was asked';
COMMENT ON COLUMN request.done_at IS 'When the attempt had ended; null: still to be done';

CREATE UNLOGGED TABLE progress (
    job               bigint PRIMARY KEY,
    attempt           bigint NOT NULL,
    epoch             bigint NOT NULL,
    epochs            bigint NOT NULL,
    step              bigint NOT NULL,
    steps             bigint NOT NULL,
    images_per_second double precision NOT NULL,
    loss              double precision NOT NULL,
    seconds_left      double precision NOT NULL,
    at                timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE progress IS 'Where running stages are, written at most once a second for status and watch; lost in a crash of the server, and nobody minds';
COMMENT ON COLUMN progress.job IS 'Job';
COMMENT ON COLUMN progress.attempt IS 'Attempt';
COMMENT ON COLUMN progress.epoch IS 'Epoch, from 1; 0 where the stage has none';
COMMENT ON COLUMN progress.epochs IS 'Epochs in all';
COMMENT ON COLUMN progress.step IS 'Step of the stage';
COMMENT ON COLUMN progress.steps IS 'Steps in all';
COMMENT ON COLUMN progress.images_per_second IS 'Speed';
COMMENT ON COLUMN progress.loss IS 'Loss of late';
COMMENT ON COLUMN progress.seconds_left IS 'Estimate, below 0: not known yet';
COMMENT ON COLUMN progress.at IS 'When it was written';
