-- The last two checkpoints of a job are kept, so that one which cannot be used does not
-- cost all the work before it. Each has the best weights so far as well as the last ones.

ALTER TABLE checkpoint_head ADD COLUMN place smallint NOT NULL DEFAULT 0 CHECK (place IN (0, 1)),
    DROP CONSTRAINT checkpoint_head_pkey, ADD PRIMARY KEY (job, place);
COMMENT ON TABLE checkpoint_head IS 'Where the next attempt of an unfinished job goes on, and the checkpoint before that';
COMMENT ON COLUMN checkpoint_head.place IS '0: the newest; 1: the one before, which is used when the newest cannot be';
