-- Jobs without parents are told apart: neither their spec nor their lease need to look for
-- inputs that cannot be there.

CREATE OR REPLACE VIEW job_spec AS
    SELECT d.job, encode(d.digest, 'hex') AS digest, f.method, f.stage, t.text,
        t.text::json AS spec, d.created_at, d.parents
    FROM job_def d JOIN job_form f ON f.id = d.form
    CROSS JOIN LATERAL (SELECT format(f.template, VARIADIC string_to_array(
        CASE WHEN d.parents = '{}' THEN '' ELSE coalesce((
            SELECT string_agg('"' || pf.stage || '":"' || encode(p.digest, 'hex') || '"',
                ',' ORDER BY pf.stage COLLATE "C")
            FROM unnest(d.parents) u (id) JOIN job_def p ON p.job = u.id
            JOIN job_form pf ON pf.id = p.form), '') END
        || chr(9) || d.vals, chr(9))) AS text) t;
