package store

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// TransferVersion is the version of the form that Export writes.
const TransferVersion = 1

// A Selection is what Export writes: a run, a job, or with neither everything.
type Selection struct {
	Run int64
	Job string
}

// A line is one object of an export: a row of a table with its columns' names, and the
// keys in hexadecimal.
//
//	{"v":1,"kind":"results","row":{"id":1,"key":"9f2c...","question":"{...}",...}}
type line struct {
	Version int            `json:"v"`
	Kind    string         `json:"kind"` // the table
	Row     map[string]any `json:"row"`
}

// A table is what of it an export has: all, of a job, of a run.
type table struct {
	name, order     string
	all, job, inRun string // conditions; ?1 is the run or the job
}

// runJob is the job of the run ?1.
const runJob = `(SELECT job FROM runs WHERE id = ?1)`

// tables are in the order in which Import needs them.
var tables = []table{
	{"runs", "id", "true", "job = ?1", "id = ?1"},
	{"results", "id", "true", "id IN (SELECT result FROM tasks WHERE job = ?1)",
		"run = ?1 OR id IN (SELECT result FROM tasks WHERE job = " + runJob + " AND from_run <= ?1 AND (to_run IS NULL OR to_run >= ?1))"},
	{"tasks", "job, row, step, from_run", "true", "job = ?1", "job = " + runJob + " AND from_run <= ?1 AND (to_run IS NULL OR to_run >= ?1)"},
	{"attempts", "id", "true", "run IN (SELECT id FROM runs WHERE job = ?1)", "run = ?1"},
	{"models", "name", "true", "true", "true"},
	{"loads", "id", "true", "run IN (SELECT id FROM runs WHERE job = ?1)", "run = ?1"},
	{"loaded", "run, model", "true", "run IN (SELECT id FROM runs WHERE job = ?1)", "run = ?1"},
	{"files", "job, path", "true", "job = ?1", "job = " + runJob},
}

// Export writes the rows of a selection as JSON lines, tables in a fixed order and rows
// in that of their keys, and says how many. It sees one state of the store.
func (s *Store) Export(ctx context.Context, w io.Writer, sel Selection) (n int64, err error) {
	view, err := s.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	for _, t := range tables {
		where, args := t.all, []any{}
		switch {
		case sel.Run != 0:
			where, args = t.inRun, []any{sel.Run}
		case sel.Job != "":
			where, args = t.job, []any{sel.Job}
		}
		if !strings.Contains(where, "?1") {
			args = nil
		}
		m, err := exportTable(ctx, view.conn, out, t, where, args)
		if n += m; err != nil {
			if lost := out.Flush(); lost != nil { // w is in trouble, not the store
				return n, errors.Join(lost, view.Close())
			}
			return n, errors.Join(s.trouble(err), view.Close())
		}
	}
	return n, errors.Join(out.Flush(), view.Close())
}

func exportTable(ctx context.Context, q querier, out *bufio.Writer, t table, where string, args []any) (n int64, err error) {
	rows, err := q.QueryContext(ctx, "SELECT * FROM "+t.name+" WHERE "+where+" ORDER BY "+t.order, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close() // its error is rows.Err's
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for rows.Next() {
		row, err := scanLine(rows, columns)
		if err != nil {
			return n, err
		}
		if err := encoder.Encode(line{TransferVersion, t.name, row}); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// scanLine reads a row of any table; what is NULL is left out.
func scanLine(rows *sql.Rows, columns []string) (map[string]any, error) {
	values, at := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		at[i] = &values[i]
	}
	if err := rows.Scan(at...); err != nil {
		return nil, err
	}
	row := map[string]any{}
	for i, name := range columns {
		switch v := values[i].(type) {
		case nil:
		case []byte:
			row[name] = hex.EncodeToString(v) // a key, the only BLOB
		default:
			row[name] = v
		}
	}
	return row, nil
}

// An Imported counts what Import added, by table.
type Imported map[string]int64

// A BadLine is the error of a line that is no part of an export. Nothing of the file was
// taken in.
type BadLine struct {
	Line    int
	Message string
}

func (b *BadLine) Error() string { return fmt.Sprintf("line %d: %s", b.Line, b.Message) }

// Import takes an export in, all of it or nothing. Runs and results get new numbers. What
// is there already, as after importing twice, is left as it is.
func (s *Store) Import(ctx context.Context, r io.Reader) (Imported, error) {
	var added Imported
	err := s.do(ctx, func(ctx context.Context, w *writer) error {
		i := &importing{conn: w.conn, runs: map[int64]int64{}, results: map[int64]int64{}, added: Imported{}}
		added = i.added
		return i.read(ctx, r)
	})
	var bad *BadLine
	if errors.As(err, &bad) {
		err = bad
	}
	return added, err
}

type importing struct {
	conn          *sql.Conn
	runs, results map[int64]int64 // numbers there by those of the file
	added         Imported
}

func (i *importing) read(ctx context.Context, r io.Reader) error {
	decoder := json.NewDecoder(bufio.NewReader(r))
	decoder.UseNumber()
	for n := 1; ; n++ {
		var l line
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind):
			return &BadLine{n, "it is no line of an export: a JSON object with v, kind and row"}
		case err != nil:
			return &BadLine{n, "it is not JSON: " + err.Error()}
		}
		if l.Version != TransferVersion {
			return &BadLine{n, fmt.Sprintf("its version is %d; this runner reads version %d", l.Version, TransferVersion)}
		}
		if err := i.add(ctx, &l); err != nil {
			return &BadLine{n, err.Error()}
		}
	}
}

func (i *importing) add(ctx context.Context, l *line) error {
	switch l.Kind {
	case "runs":
		if err := i.refer(l, "since", i.runs); err != nil {
			return err
		}
		return i.addNumbered(ctx, l, i.runs, []string{"job", "began_ms", "pid", "host"})
	case "results":
		if err := i.refer(l, "run", i.runs); err != nil {
			return err
		}
		return i.addNumbered(ctx, l, i.results, []string{"key", "ok", "stored_ms", "response"})
	case "tasks":
		if err := errors.Join(i.refer(l, "from_run", i.runs), i.refer(l, "result", i.results)); err != nil {
			return err
		}
		if _, closed := l.Row["to_run"]; closed {
			return nil // what a task was counts in its own store only
		}
		known, err := i.hasTask(ctx, l)
		if err != nil || known {
			return err
		}
	case "attempts", "loads":
		if err := i.refer(l, "run", i.runs); err != nil {
			return err
		}
		delete(l.Row, "id")
	case "files", "loaded":
		if err := i.refer(l, "run", i.runs); err != nil {
			return err
		}
	case "models":
	default:
		return fmt.Errorf("there is no kind %q", l.Kind)
	}
	_, err := i.insert(ctx, l)
	return err
}

// refer turns a number of the file into the one it has here. A row of which the file
// does not have the run belongs to none.
func (i *importing) refer(l *line, column string, numbers map[int64]int64) error {
	v, ok := l.Row[column]
	if !ok {
		return nil
	}
	number, ok := v.(json.Number)
	if !ok {
		return fmt.Errorf("%s is no number", column)
	}
	old, err := number.Int64()
	if err != nil {
		return fmt.Errorf("%s is no whole number", column)
	}
	if here, known := numbers[old]; known {
		l.Row[column] = here
		return nil
	}
	if column == "result" {
		return fmt.Errorf("it refers to result %d, which the file does not have before it", old)
	}
	delete(l.Row, column)
	if column == "from_run" {
		l.Row[column] = int64(0)
	}
	return nil
}

// addNumbered adds a row with a number of its own, unless one that is equal is there.
func (i *importing) addNumbered(ctx context.Context, l *line, numbers map[int64]int64, same []string) error {
	number, ok := l.Row["id"].(json.Number)
	if !ok {
		return errors.New("it has no id")
	}
	old, err := number.Int64()
	if err != nil {
		return errors.New("its id is no whole number")
	}
	delete(l.Row, "id")
	var where []string
	var args []any
	for _, column := range same {
		where = append(where, column+" IS ?")
		v, err := valueOf(column, l.Row[column])
		if err != nil {
			return err
		}
		args = append(args, v)
	}
	var id int64
	err = i.conn.QueryRowContext(ctx, "SELECT id FROM "+l.Kind+" WHERE "+strings.Join(where, " AND "), args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id, err = i.insert(ctx, l)
	}
	numbers[old] = id
	return err
}

// insert adds a row, unless its key is there; columns must be those of the table, and
// none that it needs may be missing.
func (i *importing) insert(ctx context.Context, l *line) (int64, error) {
	var names, marks []string
	var args []any
	for name, v := range l.Row {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return 0, fmt.Errorf("%q is no column", name)
		}
		value, err := valueOf(name, v)
		if err != nil {
			return 0, err
		}
		names, marks, args = append(names, name), append(marks, "?"), append(args, value)
	}
	if l.Kind == "attempts" || l.Kind == "loads" { // whose number is no key that another store has
		known, err := i.hasEqual(ctx, l.Kind, names, args)
		if err != nil || known {
			return 0, err
		}
	}
	done, err := i.conn.ExecContext(ctx, "INSERT INTO "+l.Kind+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+") ON CONFLICT DO NOTHING", args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return 0, err
	}
	i.added[l.Kind] += n
	return done.LastInsertId()
}

func (i *importing) hasEqual(ctx context.Context, kind string, names []string, args []any) (yes bool, err error) {
	where := strings.Join(names, " IS ? AND ") + " IS ?"
	err = i.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+kind+" WHERE "+where+")", args...).Scan(&yes)
	return yes, err
}

// hasTask says whether the store knows what a task is.
func (i *importing) hasTask(ctx context.Context, l *line) (yes bool, err error) {
	row, err := valueOf("row", l.Row["row"])
	if err != nil {
		return false, err
	}
	err = i.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tasks WHERE job = ? AND row = ? AND step = ? AND to_run IS NULL)",
		l.Row["job"], row, l.Row["step"]).Scan(&yes)
	return yes, err
}

// valueOf gives a column's value as SQLite takes it.
func valueOf(column string, v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return nil, fmt.Errorf("%s is no whole number", column)
		}
		return n, nil
	case string:
		if column != "key" {
			return v, nil
		}
		key, err := hex.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("key is not hexadecimal")
		}
		return key, nil
	case nil, int64:
		return v, nil
	}
	return nil, fmt.Errorf("%s is neither a text nor a number", column)
}
