-- A sweep of 33,334 cells and 100,002 jobs for the budgets of the page: teachers shared by
-- nothing, a third of the cells done, some jobs failed or running.
INSERT INTO worker (boot, name, host, version, slots, threads, connected)
    VALUES ('big', 'big-worker', 'big-host', '0', 8, 1, true);
INSERT INTO sweep (name, title, path, text, sets, axes, report, plan_digest)
    VALUES ('big', 'A sweep of a hundred thousand jobs', '', 'name: big', '',
    '["relu_budget", "temperature", "seed"]',
    '{"x": "relus", "y": ["CA"], "group_over": "seed", "reference": []}', 'big');
CREATE TEMP TABLE grid AS SELECT n, 1000 * (1 + n % 40) AS budget, 1 + n / 40 % 8 AS
    temperature, n / 320 AS seed FROM generate_series(0, 33333) n;
INSERT INTO cell_form (sweep, params, written) SELECT id,
    jsonb_build_object('method', 'rlnet', 'dataset', 'cifar100', 'model', 'resnet18', 'loss',
    'kl+pram', 'epochs', 200, 'batch', 128, 'learning_rate', 0.01, 'evaluate',
    'clean,pgd-7'), '{}' FROM sweep WHERE name = 'big';
CREATE TEMP TABLE big_job AS SELECT n, stage, place, n * 3 + place AS k,
    CASE WHEN n % 997 = 5 AND place = 1 THEN 'failed'
         WHEN n % 997 = 5 AND place = 2 THEN 'upstream_failed'
         WHEN n < 11000 THEN 'succeeded'
         WHEN n < 11008 AND place = 0 THEN 'leased'
         WHEN n < 11008 THEN 'blocked'
         WHEN place = 0 THEN 'ready' ELSE 'blocked' END AS state
    FROM grid, (VALUES ('teacher', 0), ('mask', 1), ('finetune', 2)) s(stage, place);
INSERT INTO job_form (method, stage, names, template) SELECT 'rlnet', stage,
    '{relu_budget,temperature,seed}', '{"stage":"' || stage || '","params":{"dataset":'
    '"cifar100","model":"resnet18","epochs":200,"batch":128,"learning_rate":0.01,'
    '"relu_budget":%2$s,"temperature":%3$s,"seed":%4$s}}'
    FROM (VALUES ('teacher'), ('mask'), ('finetune')) s(stage);
CREATE TEMP TABLE first AS SELECT coalesce(max(job), 0) + 1 AS job FROM job_def;
CREATE TEMP TABLE big_id AS SELECT b.*, first.job + k AS job FROM big_job b, first;
ALTER TABLE big_id ADD PRIMARY KEY (n, place);
INSERT INTO job_def (job, digest, form, vals, parents) OVERRIDING SYSTEM VALUE
    SELECT b.job, sha256(('big' || b.k)::bytea), f.id,
    '"' || budget || '"' || E'\t' || temperature || E'\t' || seed,
    CASE WHEN b.place > 0 THEN ARRAY[b.job - 1] ELSE '{}' END FROM big_id b
    JOIN grid g USING (n) JOIN job_form f ON f.method = 'rlnet' AND f.stage = b.stage
    AND f.names = '{relu_budget,temperature,seed}' ORDER BY k;
SELECT setval(pg_get_serial_sequence('job_def', 'job'), max(job)) FROM job_def;
INSERT INTO job (id, attempt, state, worker) SELECT job, (state IN ('succeeded', 'failed',
    'leased'))::int, state::job_state, CASE WHEN state = 'leased' THEN w.id END
    FROM big_id, worker w WHERE w.boot = 'big' ORDER BY job;
INSERT INTO job_child (parent, child) SELECT job - 1, job FROM big_id WHERE place > 0;
INSERT INTO cell_def (sweep, place, form, own, jobs) SELECT f.sweep, n, f.id,
    jsonb_build_object('relu_budget', budget::text, 'temperature', temperature, 'seed', seed),
    ARRAY[first.job + 3 * n, first.job + 3 * n + 1, first.job + 3 * n + 2]
    FROM grid, first, cell_form f JOIN sweep s ON s.id = f.sweep WHERE s.name = 'big'
    ORDER BY n;
INSERT INTO sweep_span SELECT s.id, int8range(min(b.job), max(b.job), '[]')
    FROM big_id b, sweep s WHERE s.name = 'big' GROUP BY s.id;
INSERT INTO attempt (job, attempt, worker, started_at, ended_at, outcome, error,
    fingerprint, seconds) SELECT b.job, 1, w.id, now() - interval '1 hour',
    CASE WHEN b.state <> 'leased' THEN now() END, CASE b.state WHEN 'succeeded' THEN 'ok'
    WHEN 'failed' THEN 'numeric' END, CASE WHEN b.state = 'failed' THEN
    'loss is NaN at step ' || b.n END, CASE WHEN b.state = 'failed' THEN 'nan' END,
    60 + b.n % 7 FROM big_id b, worker w WHERE w.boot = 'big'
    AND b.state IN ('succeeded', 'failed', 'leased');
INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max'), ('relus', 'ReLUs', 'min'),
    ('train/loss', '', 'min') ON CONFLICT DO NOTHING;
INSERT INTO metric_final (job, key, attempt, value) SELECT b.job, k.id, 1, CASE k.name
    WHEN 'CA' THEN 50 + 8 * log(g.budget) / 3 + g.temperature / 4.0 + g.n % 13 / 20.0
    ELSE g.budget - 7 END FROM big_id b JOIN grid g USING (n), metric_key k
    WHERE b.state = 'succeeded' AND b.place = 2 AND k.name IN ('CA', 'relus');
INSERT INTO metric (job, attempt, seq, key, step, value) SELECT b.job, 1, 1, k.id, step,
    3 * exp(-step / 400.0) + 0.2 FROM (SELECT min(job) AS job FROM big_id) b, metric_key k,
    generate_series(0, 2000, 5) step WHERE k.name = 'train/loss';
ANALYZE;
