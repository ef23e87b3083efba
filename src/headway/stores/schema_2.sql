-- Version 2: `home` is the inode of the file that this history belongs to. In another file it is a copy, and may lack
-- what viewers of the first one have seen already: it begins a history of its own (sqlite_opening.py, claim).

ALTER TABLE meta ADD COLUMN home INTEGER;
