-- A job's row has three versions: ready, leased, succeeded. While some session holds an
-- old snapshot none of them goes away, and a version that does not find room in its page
-- costs a new entry in the index and a page more. A page takes 30 new rows of 76 bytes
-- with their two later versions of 92, and without such a session pages are cleaned less
-- often.

ALTER TABLE job SET (fillfactor = 28);
