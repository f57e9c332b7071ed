-- Who reviews accesses: habits of those who read, records under protection, what the daily job
-- finds unusual, and the queue of reviews. Written and read by hygie/domains/oversight.

-- One row per professional and day of work, kept for as long as habits are compared.
CREATE TABLE oversight_habit (
  party       integer NOT NULL,
  day         date NOT NULL,
  patients    integer NOT NULL,   -- records opened
  unexplained integer NOT NULL,   -- of which nothing explains
  hours       integer NOT NULL,   -- bit n: something was opened between n and n + 1, local time
  PRIMARY KEY (party, day)
);

-- Accesses that little or nothing explains: who comes back, and where many come.
CREATE TABLE oversight_look (
  pat   integer NOT NULL,
  party integer NOT NULL,
  day   date NOT NULL,
  PRIMARY KEY (pat, party, day)
);
CREATE INDEX oversight_look_day ON oversight_look (day);

-- What may still enter a list: scored, and not listed yet.
CREATE TABLE oversight_candidate (
  day     date NOT NULL,
  party   integer NOT NULL,
  pat     integer NOT NULL,
  score   real NOT NULL,
  looks   integer NOT NULL,
  first   timestamptz NOT NULL,   -- the first access of the pair that day, in the log
  trace   bigint NOT NULL,
  reasons text[] NOT NULL,        -- codes of definitions/reasons.csv, strongest first
  PRIMARY KEY (day, party, pat)
);

-- Days the job has scored; a day is scored once.
CREATE TABLE oversight_day (
  day    date PRIMARY KEY,
  at     timestamptz NOT NULL DEFAULT now(),
  pairs  integer NOT NULL,
  listed integer NOT NULL
);

-- Records that the establishment protects against curiosity: a person known to many, a colleague.
CREATE TABLE oversight_protected (
  pat    integer PRIMARY KEY,
  since  timestamptz NOT NULL DEFAULT now(),
  by     text NOT NULL,           -- reference of who decided it
  reason text NOT NULL CHECK (length(reason) BETWEEN 3 AND 500)
);

-- The queue. It names the patient by initials and number only, and holds no clinical content.
CREATE TABLE oversight_item (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind     smallint NOT NULL CHECK (kind IN (1, 2, 3)), -- 1 unusual, 2 emergency, 3 reported
  state    smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 5),
  day      date NOT NULL,         -- day of the access
  listed   timestamptz NOT NULL DEFAULT now(),
  due      date NOT NULL,         -- last day to decide
  trace_at timestamptz NOT NULL,  -- the access in the log
  trace    bigint NOT NULL,
  party    integer,               -- who opened the record; null where nobody of the directory did
  agent    text NOT NULL,         -- reference of who opened the record
  pat      integer NOT NULL,
  initials text NOT NULL,
  looks    integer NOT NULL,      -- accesses of the pair that day
  types    text[] NOT NULL,       -- types of resources asked for
  rule     text NOT NULL,         -- the rule that permitted it
  score    real NOT NULL,
  reasons  text[] NOT NULL,
  words    text NOT NULL DEFAULT '' CHECK (length(words) <= 2000), -- of who reported it
  declared text NOT NULL DEFAULT '', -- an emergency: reference of its declaration
  reviewer text,                  -- reference of the account that took it
  taken    timestamptz,
  asked    text CHECK (length(asked) <= 2000),
  answer   text CHECK (length(answer) <= 2000),
  answered timestamptz,
  decision smallint CHECK (decision IN (3, 4)), -- the state it was decided as
  note     text CHECK (length(note) <= 2000),
  decided  timestamptz,
  closed   timestamptz
);
CREATE INDEX oversight_item_open ON oversight_item (due, id) WHERE state < 5;
CREATE INDEX oversight_item_pair ON oversight_item (party, pat, day);
CREATE INDEX oversight_item_pat ON oversight_item (pat);
CREATE UNIQUE INDEX oversight_item_once ON oversight_item (kind, trace_at, trace);

GRANT SELECT, INSERT, UPDATE, DELETE ON oversight_habit, oversight_look, oversight_candidate,
  oversight_protected TO hygie_app;
GRANT SELECT, INSERT ON oversight_day TO hygie_app;
GRANT SELECT, INSERT, UPDATE ON oversight_item TO hygie_app;
