-- What a job is, as JSON. Jobs of earlier programs have only the words of a command line, in `arguments`.
ALTER TABLE jobs ADD COLUMN definition TEXT;
