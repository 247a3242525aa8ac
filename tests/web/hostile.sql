-- A small sweep whose every name, error and log line tries to run a script.
\set x '<img src=x onerror=alert(1)>"''><script>alert(2)</script>{{7*7}}</title></pre></textarea>'
INSERT INTO worker (boot, name, host, version, slots, threads, connected)
    VALUES ('w', 'worker' || :'x', 'host' || :'x', 'version' || :'x', 2, 1, true);
INSERT INTO sweep (name, title, path, text, sets, axes, report, plan_digest)
    VALUES ('sweep' || :'x', 'title' || :'x', :'x', 'file' || :'x', :'x',
    json_build_array('relu_budget', 'axis' || :'x'), json_build_object('x', 'relus', 'y',
    json_build_array('CA', 'metric' || :'x'), 'group_over', 'seed', 'reference', '[]'::json),
    'hostile');
INSERT INTO cell_form (sweep, params, written) VALUES (1, jsonb_build_object('dataset',
    'cifar100' || :'x', 'model', 'resnet18', 'axis' || :'x', 'value' || :'x'), '{}');
INSERT INTO cell_def (sweep, place, form, own, jobs) SELECT 1, n, 1, jsonb_build_object(
    'relu_budget', (1000 * (n + 1))::text, 'seed', n % 2), ARRAY[n + 1]
    FROM generate_series(0, 5) n;
INSERT INTO sweep_span VALUES (1, '[1,6]');
INSERT INTO job_form (method, stage, names, template) VALUES ('method' || :'x',
    'stage' || :'x', '{relu_budget}', replace(json_build_object('stage', 'finetune',
    'params', json_build_object('name' || :'x', 'value' || :'x', 'relu_budget', '?'))::text,
    '"?"', '%2$s'));
INSERT INTO job_def (digest, form, vals) SELECT decode(lpad(n::text, 64, '0'), 'hex'), 1,
    '"' || 1000 * (n + 1) || '"' FROM generate_series(0, 5) n;
INSERT INTO job (id, attempt, state, worker) SELECT n, 1, CASE WHEN n <= 3 THEN 'succeeded'
    WHEN n = 4 THEN 'failed' ELSE 'leased' END::job_state, 1 FROM generate_series(1, 6) n;
INSERT INTO attempt (job, attempt, worker, started_at, ended_at, outcome, error, fingerprint,
    seconds, provenance) SELECT n, 1, 1, now(), CASE WHEN n < 6 THEN now() END, CASE WHEN
    n <= 3 THEN 'ok' WHEN n = 4 THEN 'error' END, CASE WHEN n = 4 THEN 'error' || :'x' END,
    CASE WHEN n = 4 THEN :'x' END, 10, json_build_object('host', :'x')
    FROM generate_series(1, 6) n;
INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max'), ('relus', 'ReLUs', 'min'),
    ('metric' || :'x', 'unit' || :'x', 'max'), ('train/loss' || :'x', '', 'min');
INSERT INTO metric_final (job, key, attempt, value) SELECT n, k, 1, CASE k WHEN 2 THEN
    1000 * n ELSE 60 + n END FROM generate_series(1, 3) n, generate_series(1, 3) k;
INSERT INTO metric (job, attempt, seq, key, step, value) SELECT 6, 1, 1, 4, s, 3 - s / 20.0
    FROM generate_series(0, 50) s;
INSERT INTO log_chunk (job, attempt, start, text) VALUES (4, 1, 0, 'log' || :'x' || E'\n');
WITH b AS (INSERT INTO blob (sha, size, received, stored) VALUES (repeat('0', 64), 3, 3, true)
    RETURNING id) INSERT INTO artifact (job, attempt, name, blob)
    SELECT 1, 1, 'artifact' || :'x', id FROM b;
INSERT INTO event (job, attempt, kind, detail) VALUES (4, 1, 'kind' || :'x', 'detail' || :'x');
-- A file of two and a half pieces whose bytes say which piece they are of.
WITH b AS (INSERT INTO blob (sha, size, received, stored) VALUES (repeat('1', 64), 2621440,
    2621440, true) RETURNING id), c AS (INSERT INTO blob_chunk (blob, place, data) SELECT id,
    n, decode(repeat(lpad(to_hex(48 + n), 2, '0'), CASE WHEN n < 2 THEN 1048576 ELSE 524288
    END), 'hex') FROM b, generate_series(0, 2) n)
    INSERT INTO artifact (job, attempt, name, blob) SELECT 1, 1, 'model', id FROM b;
INSERT INTO log_chunk (job, attempt, start, text) SELECT 1, 1, 40 * n, 'line ' ||
    rpad(n::text, 34, '.') || E'\n' FROM generate_series(0, 4999) n;
