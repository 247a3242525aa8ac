-- What the jobs of a stage share is kept once, and a job keeps only its own values: a
-- sweep of a million jobs is written in seconds. job_spec, job_dep, cell and cell_job,
-- which were tables, are views that put the whole together for readers.
--
-- By job: job_def (parents) and job_child (children). By sweep: cell_def. Which sweeps a
-- job belongs to: sweep_span. The views are for looking up in the direction of their
-- first column: a child, a cell.

-- ---- jobs ---------------------------------------------------------------------------

CREATE TABLE job_form (
    id       integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    method   text NOT NULL,
    stage    text NOT NULL,
    names    text[] NOT NULL DEFAULT '{}',
    template text NOT NULL
);
CREATE UNIQUE INDEX job_form_template ON job_form (md5(template));
COMMENT ON TABLE job_form IS 'What many jobs of a stage have in common';
COMMENT ON COLUMN job_form.id IS 'Number of the form';
COMMENT ON COLUMN job_form.method IS 'Method, for people and grouping';
COMMENT ON COLUMN job_form.stage IS 'Stage of the method';
COMMENT ON COLUMN job_form.names IS 'Parameters whose values the jobs have, in the order of job_def.vals';
COMMENT ON COLUMN job_form.template IS 'The spec for format(): %1$s are the inputs, %2$s and on the values of the job';

ALTER TABLE job_spec RENAME TO job_def;
ALTER TABLE job_def
    ADD COLUMN form integer REFERENCES job_form,
    ADD COLUMN vals text NOT NULL DEFAULT '',
    ADD COLUMN parents bigint[] NOT NULL DEFAULT '{}';

CREATE TEMP TABLE old_form ON COMMIT DROP AS
    SELECT job, method, stage, regexp_replace(replace(spec::text, '%', '%%'),
        '^\{"inputs":\{[^}]*\}', '{"inputs":{%1$s}') AS template FROM job_def;
INSERT INTO job_form (method, stage, template)
    SELECT DISTINCT ON (md5(template)) method, stage, template FROM old_form;
UPDATE job_def d SET form = f.id, parents = coalesce((SELECT array_agg(e.parent
        ORDER BY e.parent) FROM job_dep e WHERE e.child = d.job), '{}')
    FROM old_form o JOIN job_form f ON md5(f.template) = md5(o.template)
    WHERE o.job = d.job;

ALTER TABLE job_def
    DROP CONSTRAINT job_spec_digest_key, DROP CONSTRAINT job_def_form_fkey,
    DROP COLUMN spec, DROP COLUMN method, DROP COLUMN stage,
    ALTER COLUMN digest TYPE bytea USING decode(digest, 'hex'),
    ALTER COLUMN form SET NOT NULL;
CREATE UNIQUE INDEX job_def_digest ON job_def (digest);
COMMENT ON TABLE job_def IS 'What a job is: cold data, never updated';
COMMENT ON COLUMN job_def.digest IS 'SHA-256 of the canonical spec: the name of the job, shared by all sweeps';
COMMENT ON COLUMN job_def.form IS 'Row of job_form';
COMMENT ON COLUMN job_def.vals IS 'Its own values as canonical JSON, separated by tabs';
COMMENT ON COLUMN job_def.parents IS 'Jobs that it waits for: it is ready when all of them have succeeded';

ALTER TABLE job_dep RENAME TO job_child;
ALTER TABLE job_child DROP CONSTRAINT job_dep_pkey, DROP COLUMN input;
ALTER INDEX job_dep_parent RENAME TO job_child_parent;
COMMENT ON TABLE job_child IS 'Edges from the side of the parent; job_def.parents has them from that of the child';
COMMENT ON COLUMN job_child.parent IS 'Job that is needed';
COMMENT ON COLUMN job_child.child IS 'Job that waits for it';

CREATE VIEW job_spec AS
    SELECT d.job, encode(d.digest, 'hex') AS digest, f.method, f.stage, t.text,
        t.text::json AS spec, d.created_at
    FROM job_def d JOIN job_form f ON f.id = d.form
    CROSS JOIN LATERAL (SELECT format(f.template, VARIADIC string_to_array(coalesce((
            SELECT string_agg('"' || pf.stage || '":"' || encode(p.digest, 'hex') || '"',
                ',' ORDER BY pf.stage COLLATE "C")
            FROM unnest(d.parents) u (id) JOIN job_def p ON p.job = u.id
            JOIN job_form pf ON pf.id = p.form), '')
        || chr(9) || d.vals, chr(9))) AS text) t;
COMMENT ON VIEW job_spec IS 'Jobs with their specs in full; text is what was hashed, byte for byte';

CREATE VIEW job_dep AS
    SELECT d.job AS child, u.parent, (SELECT f.stage FROM job_def p
        JOIN job_form f ON f.id = p.form WHERE p.job = u.parent) AS input
    FROM job_def d, unnest(d.parents) u (parent);
COMMENT ON VIEW job_dep IS 'Edges by child, with the name of the input in its spec';

-- ---- cells --------------------------------------------------------------------------

CREATE TABLE cell_form (
    id        bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sweep     bigint NOT NULL,
    params    jsonb NOT NULL,
    written   jsonb NOT NULL,
    unwritten text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX cell_form_sweep ON cell_form (sweep);
COMMENT ON TABLE cell_form IS 'What many cells of a sweep have in common';
COMMENT ON COLUMN cell_form.id IS 'Number of the form';
COMMENT ON COLUMN cell_form.sweep IS 'Sweep';
COMMENT ON COLUMN cell_form.params IS 'Canonical values of the parameters that do not differ';
COMMENT ON COLUMN cell_form.written IS 'Those of them that the file or --set chose';
COMMENT ON COLUMN cell_form.unwritten IS 'Names of the values of its cells that neither chose';

ALTER TABLE cell RENAME TO cell_def;
ALTER TABLE cell_def
    DROP CONSTRAINT cell_sweep_fkey,
    ADD COLUMN form bigint,
    ADD COLUMN jobs bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE cell_def RENAME COLUMN params TO own;
CREATE TEMP TABLE old_cell ON COMMIT DROP AS
    SELECT id, sweep, own, written, md5(own::text || written::text) AS sum FROM cell_def;
CREATE TEMP TABLE old_cell_form ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY sweep, sum) AS id, * FROM
    (SELECT DISTINCT ON (sweep, sum) sweep, own, written, sum FROM old_cell) x;
INSERT INTO cell_form (id, sweep, params, written) OVERRIDING SYSTEM VALUE
    SELECT id, sweep, own, written FROM old_cell_form;
SELECT setval(pg_get_serial_sequence('cell_form', 'id'), max(id)) FROM cell_form;
UPDATE cell_def c SET own = '{}', form = f.id, jobs = coalesce((SELECT array_agg(k.job
        ORDER BY k.place) FROM cell_job k WHERE k.cell = c.id), '{}')
    FROM old_cell o JOIN old_cell_form f ON f.sweep = o.sweep AND f.sum = o.sum
    WHERE o.id = c.id;
ALTER TABLE cell_def ALTER COLUMN form SET NOT NULL, DROP COLUMN written;
COMMENT ON TABLE cell_def IS 'Points of the grid of the current revision of a sweep';
COMMENT ON COLUMN cell_def.form IS 'Row of cell_form';
COMMENT ON COLUMN cell_def.own IS 'Values of the parameters in which cells differ';
COMMENT ON COLUMN cell_def.jobs IS 'Its chain of jobs, the last one is the leaf';

CREATE TABLE sweep_span (
    sweep bigint NOT NULL,
    jobs  int8range NOT NULL
);
INSERT INTO sweep_span SELECT DISTINCT c.sweep, int8range(k.job, k.job, '[]')
    FROM cell_job k JOIN cell_def c ON c.id = k.cell;
CREATE INDEX sweep_span_sweep ON sweep_span (sweep);
CREATE INDEX sweep_span_jobs ON sweep_span USING gist (jobs);
COMMENT ON TABLE sweep_span IS 'The jobs that a sweep needs: new jobs have numbers in a row';
COMMENT ON COLUMN sweep_span.sweep IS 'Sweep';
COMMENT ON COLUMN sweep_span.jobs IS 'Numbers of jobs; those of a sweep do not overlap';

DROP TABLE cell_job;
CREATE VIEW cell AS
    SELECT c.id, c.sweep, c.place, f.params || c.own AS params,
        f.written || (c.own - f.unwritten) AS written
    FROM cell_def c JOIN cell_form f ON f.id = c.form;
COMMENT ON VIEW cell IS 'Cells with all their parameters, and with those that were written';
CREATE VIEW cell_job AS
    SELECT c.id AS cell, (u.place - 1)::integer AS place, u.job
    FROM cell_def c, unnest(c.jobs) WITH ORDINALITY u (job, place);
COMMENT ON VIEW cell_job IS 'The chain of jobs of each cell, by cell';

-- ---- news ---------------------------------------------------------------------------

ALTER TABLE news ADD COLUMN last bigint;
UPDATE news SET last = job;
COMMENT ON COLUMN news.job IS 'First number of a span of jobs; null: very many';
COMMENT ON COLUMN news.last IS 'Last number of the span';
