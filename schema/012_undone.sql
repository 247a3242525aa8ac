-- Since `retry --again` an attempt that had succeeded may not count any more.

COMMENT ON COLUMN attempt.outcome IS 'ok, undone (was ok until a person had the job done again), preempted (its worker left), returned (never delivered), lost (silent worker), cancelled, or the kind of failure; null while open';
