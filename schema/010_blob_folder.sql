-- Large blobs may lie in files instead of in rows of blob_chunk. The row of a blob says
-- where it is, so both places are read at once and nothing has to move. What is deleted
-- is written down by the same transaction, and its file is deleted after that.

CREATE TABLE blob_folder (
    id   integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    path text NOT NULL UNIQUE,
    mark text NOT NULL UNIQUE
);
COMMENT ON TABLE blob_folder IS 'Folders of files with blobs (--artifact-dir)';
COMMENT ON COLUMN blob_folder.id IS 'Number of the folder';
COMMENT ON COLUMN blob_folder.path IS 'Where it is, on every machine with a coordinator';
COMMENT ON COLUMN blob_folder.mark IS 'What its file relusweep-folder says: it is this folder, and not another one of the same path';

ALTER TABLE blob ADD COLUMN folder integer REFERENCES blob_folder;
COMMENT ON COLUMN blob.folder IS 'Its file is there, as <two digits>/<sha>; null: its pieces are in blob_chunk';
COMMENT ON COLUMN blob.received IS 'Bytes that are in blob_chunk so far; an upload goes on from here. Of a file: 0 until it is stored';

CREATE TABLE blob_gone (
    folder integer NOT NULL,
    sha    text NOT NULL
);
COMMENT ON TABLE blob_gone IS 'Files of blobs that were deleted, until they are';
COMMENT ON COLUMN blob_gone.folder IS 'Row of blob_folder';
COMMENT ON COLUMN blob_gone.sha IS 'Name of the file';

CREATE FUNCTION blob_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO blob_gone (folder, sha) VALUES (OLD.folder, OLD.sha);
    RETURN NULL;
END $$;
CREATE TRIGGER blob_goes AFTER DELETE ON blob FOR EACH ROW
    WHEN (OLD.folder IS NOT NULL) EXECUTE FUNCTION blob_goes();
