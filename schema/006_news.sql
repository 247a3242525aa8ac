-- What people change is told to the coordinator by spans: it forgets what it knew of the
-- jobs there and reads them anew, and leaves the rest of the queue alone.

ALTER TABLE news ADD COLUMN changed boolean NOT NULL DEFAULT false;
COMMENT ON TABLE news IS 'Spans of jobs that people have made or changed, until the coordinator has looked at them';
COMMENT ON COLUMN news.changed IS 'The coordinator may know of jobs there what is not so any more; false: they are new to it';
