package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a Go module of test files and makes it the working directory.
func module(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
}

func testFile(pkg, body string) string {
	return "package " + pkg + "\n\nimport \"testing\"\n\n" + body
}

func TestTally(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		code  int
		out   []string // all of these are printed
		not   []string
	}{
		{
			name: "what tests show is added up in the order of packages",
			files: map[string]string{
				"b/b_test.go": testFile("b", `func TestB(t *testing.T) { t.Log("SHOWS: 0 half answers kept"); t.Log("SHOWS: 8 files") }`),
				"a/a_test.go": testFile("a", `func TestA(t *testing.T) { t.Run("x", func(t *testing.T) { t.Log("SHOWS: 1,992 files") }) }`),
			},
			out: []string{"ok  \texample.com/m/a", "ok  \texample.com/m/b", "\n2 tests in 2 packages ok: 2,000 files, 0 half answers kept\n"},
		},
		{
			name: "a package without tests fails",
			files: map[string]string{
				"a/a_test.go": testFile("a", `func TestA(t *testing.T) {}`),
				"b/b.go":      "package b\n",
			},
			code: 1,
			out:  []string{"tally: example.com/m/b: no test ran"},
		},
		{
			name: "a failing test fails, with what it said and nobody else's words",
			files: map[string]string{
				"a/a_test.go": testFile("a", `func TestA(t *testing.T) { t.Error("it is red") }
func TestC(t *testing.T) { t.Log("it is green") }`),
			},
			code: 1,
			out:  []string{"it is red", "FAIL\texample.com/m/a", "tally: go test ./...: exit status 1"},
			not:  []string{"it is green", "packages ok"},
		},
		{
			name:  "a package that does not compile fails, with the compiler's words",
			files: map[string]string{"a/a_test.go": testFile("a", `func TestA(t *testing.T) { undefinedName() }`)},
			code:  1,
			out:   []string{"undefined: undefinedName"},
		},
		{
			name: "a package whose tests are all skipped fails",
			files: map[string]string{
				"a/a_test.go": testFile("a", `func TestA(t *testing.T) { t.Skip("not today") }`),
			},
			code: 1,
			out:  []string{"tally: example.com/m/a: no test ran"},
		},
		{
			name: "a skipped test is named",
			files: map[string]string{
				"a/a_test.go": testFile("a", `func TestA(t *testing.T) { t.Skip("not today") }
func TestB(t *testing.T) {}`),
			},
			out: []string{"skipped: example.com/m/a TestA\n1 tests in 1 packages ok\n"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			module(t, test.files)
			var out, errs bytes.Buffer // two: go test writes to the second while we write to the first
			if code := Main([]string{"--", "./..."}, &out, &errs); code != test.code {
				t.Errorf("Main = %d, want %d", code, test.code)
			}
			out.Write(errs.Bytes())
			for _, want := range test.out {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q", want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("output has %q", not)
				}
			}
			if t.Failed() {
				t.Logf("output:\n%s", out.String())
			}
		})
	}
}

func TestTallyWithoutPackages(t *testing.T) {
	var out bytes.Buffer
	if code := Main(nil, &out, &out); code != 2 {
		t.Errorf("Main() = %d, want 2", code)
	}
}

func TestReadRefusesWhatIsNoEvent(t *testing.T) {
	var out bytes.Buffer
	if _, err := read(strings.NewReader("{\"Action\":\"start\"}\npanic: no\n"), &out, true); err == nil {
		t.Error("read took a line that is no event")
	}
}

func TestVerboseNamesEachTestAsItPasses(t *testing.T) {
	events := `{"Action":"pass","Package":"p","Test":"TestA","Elapsed":1.5}` + "\n"
	for verbose, want := range map[bool]string{true: "--- PASS: TestA (1.50s)\n", false: ""} {
		var out bytes.Buffer
		if _, err := read(strings.NewReader(events), &out, verbose); err != nil || out.String() != want {
			t.Errorf("verbose %v: %q, %v; want %q", verbose, out.String(), err, want)
		}
	}
}
