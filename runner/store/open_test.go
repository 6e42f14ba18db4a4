package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
)

// What a process leaves that dies in the middle is whole: its file with the log beside it.
func TestCopyOfAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "runner.db"))
	defer closed(t, s)
	o := answered(0, "a", "x")
	keep(t, s.Begin(RunInfo{Job: "j"}), o)
	crashed := filepath.Join(dir, "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		write(t, crashed+suffix, read(t, s.path+suffix))
	}
	again := open(t, crashed)
	defer closed(t, again)
	if finds(t, again, o.Result.Key)[0] == nil {
		t.Error("a durable result is lost")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	write(t, text, []byte(strings.Repeat("no database, but text\n", 100)))
	newer := filepath.Join(dir, "newer.db")
	s := open(t, newer)
	if _, err := s.conn.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	foreign := filepath.Join(dir, "foreign.db")
	db, err := connect(foreign, "rwc", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"a newer file", newer, "was written by a newer runner; update runner, or name another file with --store"},
		{"another program's", foreign, "is no store of runner; name another file with --store"},
		{"no database", text, "is no SQLite database; move it away, or name another file with --store"},
		{"a folder that is not there", filepath.Join(dir, "none", "runner.db"), "can't be opened; see whether its folder is there and may be written to"},
		{"a folder", dir, "can't be opened; see whether its folder is there and may be written to"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.path, Options{Create: true})
			var e *Error
			if !errors.As(err, &e) || e.Message != tt.want {
				t.Errorf("the error is %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(dir, "none.db"), Options{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("reading a file that is not there: %v", err)
	}
}

func TestNamesThatURLsWouldChange(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% of #1 & what?")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("this file system has no such names")
	}
	path := filepath.Join(dir, "run ner.db")
	closed(t, open(t, path))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyStoreKeepsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	closed(t, open(t, path))
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	refused := func(err error) {
		t.Helper()
		if err == nil || !strings.HasSuffix(err.Error(), " was opened for reading only") {
			t.Errorf("the error is %v", err)
		}
	}
	refused(s.SawModels(t.Context(), map[string]string{"m": "1"}))
	refused(s.Flush(t.Context()))
	run := s.Begin(RunInfo{Job: "j"})
	run.KeepAttempt(failedAttempt(0))
	told := 0
	run.Keep(answered(0, "a", "x"), func(err error) {
		told++
		refused(err)
	})
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

// A file that is refused stays as it is, byte for byte, and nothing appears beside it.
func TestRefusedStaysAsItIs(t *testing.T) {
	for _, statement := range []string{"CREATE TABLE t (x)", "PRAGMA user_version = 99; PRAGMA application_id = 1920298610"} {
		path := filepath.Join(t.TempDir(), "other.db")
		db, err := connect(path, "rwc", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		before := read(t, path)
		for _, opts := range []Options{{Create: true}, {}, {ReadOnly: true}} {
			if _, err := Open(path, opts); err == nil {
				t.Errorf("%s: it is not refused", statement)
			}
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 1 || !bytes.Equal(before, read(t, path)) {
			t.Errorf("%s: the file was changed, or it is not alone: %v (%v)", statement, files, err)
		}
	}
}

// A damaged file gives what is right, or an error that says so; never something wrong.
func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	s := open(t, path)
	run := s.Begin(RunInfo{Job: "j"})
	keys := make([]pipeline.Key, 300)
	for i := range keys {
		o := answered(int64(i), "a", fmt.Sprint("x", i))
		keys[i] = o.Result.Key
		run.Keep(o, nil)
	}
	closed(t, s)
	const page = 4096
	whole := read(t, path)
	damaged := 0
	for at := 0; at < len(whole); at += page {
		text := append(bytes.Clone(whole[:at]), bytes.Repeat([]byte{0x5a}, page)...)
		for _, tail := range [][]byte{whole[at+page:], nil} { // a page is overwritten; the file ends with it
			write(t, path, append(bytes.Clone(text), tail...))
			if err := useDamaged(t, path, keys); err != nil {
				damaged++
			}
		}
	}
	for _, n := range []int{100, 512, page - 1, page, 3*page + 17} {
		write(t, path, whole[:n])
		if err := useDamaged(t, path, keys); err == nil {
			t.Errorf("of the file's first %d bytes nobody says that they are damaged", n)
		}
	}
	if pages := len(whole) / page; damaged < pages {
		t.Errorf("of %d damaged files %d gave an error", 2*pages, damaged)
	}
}

// useDamaged gives the error that use of a damaged store ends with.
func useDamaged(t *testing.T, path string, keys []pipeline.Key) error {
	t.Helper()
	err := errors.Join(os.RemoveAll(path+"-wal"), os.RemoveAll(path+"-shm"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{ReadOnly: true})
	if err == nil {
		defer s.Close() // it is damaged
		var found []*runner.Stored
		found, err = s.Find(t.Context(), "another job", soughtKeys(keys...))
		for i := range found {
			if found[i] != nil && found[i].Answer.Response != fmt.Sprint("x", i) {
				t.Errorf("key %d has the answer %q", i, found[i].Answer.Response)
			}
		}
	}
	var e *Error
	if err != nil && (!errors.As(err, &e) || !strings.Contains(e.Message, "damaged") && !strings.Contains(e.Message, "no SQLite database")) {
		t.Errorf("the error is %v", err)
	}
	return err
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A step forward that fails leaves the file as it was; the next version tries again.
func TestMigrate(t *testing.T) {
	s := opened(t)
	o := answered(0, "a", "x")
	keep(t, s.Begin(RunInfo{Job: "j"}), o)
	ctx := t.Context()
	good := slices.Concat(migrations, []string{"ALTER TABLE models ADD COLUMN size INTEGER"})
	bad := slices.Concat(good, []string{"UPDATE results SET model = 'm'; ALTER TABLE nothing ADD COLUMN x"})
	if err := migrate(ctx, s.conn, bad); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("to version %d: ", len(bad))) {
		t.Errorf("the error is %v", err)
	}
	state := "SELECT user_version, (SELECT count(*) FROM pragma_table_info('models')), (SELECT model FROM results) FROM pragma_user_version"
	if got := query(t, s, state); got != fmt.Sprintf("%d 3 gemma3:12b\n", len(migrations)) {
		t.Errorf("a version was half made: %s", got)
	}
	for range 2 {
		if err := migrate(ctx, s.conn, good); err != nil {
			t.Fatal(err)
		}
		if got := query(t, s, state); got != fmt.Sprintf("%d 4 gemma3:12b\n", len(good)) {
			t.Errorf("the new version is %s", got)
		}
	}
	if err := migrate(ctx, s.conn, migrations); !errors.Is(err, errNewer) {
		t.Errorf("an old program at the new file: %v", err)
	}
}

// Who only reads does not bring a file up to date, nor make one that a run has begun.
func TestReadingNeedsAFileOfThisVersion(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "runner.db")
	write(t, empty, nil)
	_, err := Open(empty, Options{ReadOnly: true})
	if err == nil || !strings.HasSuffix(err.Error(), " has nothing in it yet; any run of a job makes it") {
		t.Errorf("the error is %v", err)
	}
	closed(t, open(t, empty))
	s, err := Open(empty, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, s)
}

func TestReadable(t *testing.T) {
	for version, want := range []error{errEmpty, errOlder, errOlder, nil} {
		if got := readable(version, 3); !errors.Is(got, want) {
			t.Errorf("version %d of 3: %v, want %v", version, got, want)
		}
	}
}

// A new store is made by whoever comes first; the others wait for it.
func TestMadeByManyAtOnce(t *testing.T) {
	for range 30 {
		path := filepath.Join(t.TempDir(), "runner.db")
		var makers pool.ErrorPool
		for range 8 {
			makers.Go(func() error {
				s, err := Open(path, Options{Create: true})
				if err != nil {
					return err
				}
				return s.Close()
			})
		}
		if err := makers.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// SQLite itself does not wait where a new file is to have its log while another process
// is about to write to it.
func TestNewFileThatIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runner.db")
	db, err := connect(path, "rwc", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // it has written nothing
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	time.AfterFunc(100*time.Millisecond, func() {
		_, err := other.ExecContext(context.Background(), "ROLLBACK")
		ended <- errors.Join(err, other.Close())
	})
	closed(t, open(t, path))
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
