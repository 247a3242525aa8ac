-- Which job does which other one again (`verify`): so that another worker gets it.

CREATE TABLE job_twin (
    again bigint PRIMARY KEY,
    first bigint NOT NULL
);
CREATE INDEX job_twin_first ON job_twin (first);
COMMENT ON TABLE job_twin IS 'Jobs that are done twice to compare their numbers';
COMMENT ON COLUMN job_twin.again IS 'Job that does the other one again';
COMMENT ON COLUMN job_twin.first IS 'Job that it does again';

INSERT INTO job_twin SELECT d.job, o.job FROM job_form f
    JOIN job_def d ON d.form = f.id JOIN job_spec s ON s.job = d.job
    JOIN job_def o ON o.digest = sha256(convert_to(replace(s.text,
        '},"repeat":1,"revision":', '},"revision":'), 'UTF8'))
    WHERE position('},"repeat":1,"revision":' IN f.template) > 0;
