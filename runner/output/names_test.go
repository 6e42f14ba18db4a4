package output_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batchrunner/runner/specs"
)

// hostile are file names that data or an answer may hold, with a part of what is
// said about them.
var hostile = map[string]string{
	"":                                    "is empty",
	".":                                   `has the part "."`,
	"..":                                  `has the part ".."`,
	"../x":                                `has the part ".."`,
	"../../etc/passwd":                    `has the part ".."`,
	"a/../b":                              `has the part ".."`,
	"a/../../b":                           `has the part ".."`,
	"a/..":                                `has the part ".."`,
	"./x":                                 `has the part "."`,
	"a/./b":                               `has the part "."`,
	"/etc/passwd":                         "is an absolute path",
	"//server/share":                      "is an absolute path",
	`\\server\share`:                      "is an absolute path",
	`\windows\system32`:                   "is an absolute path",
	`C:\windows`:                          "Windows does not allow",
	"C:/windows":                          "Windows does not allow",
	"C:x":                                 "Windows does not allow",
	`a\b`:                                 "Windows does not allow",
	`..\x`:                                "Windows does not allow",
	"a//b":                                "has an empty part",
	"a/":                                  "ends in /",
	"file:///etc/passwd":                  "Windows does not allow",
	"stream:$DATA":                        "Windows does not allow",
	"a*b":                                 "Windows does not allow",
	"a?b":                                 "Windows does not allow",
	`a"b`:                                 "Windows does not allow",
	"a<b":                                 "Windows does not allow",
	"a>b":                                 "Windows does not allow",
	"a|b":                                 "Windows does not allow",
	"qwen3:8b":                            "Windows does not allow",
	"a\x00b":                              "can't be seen",
	"\x00":                                "can't be seen",
	"a\nb":                                "can't be seen",
	"answer\n":                            "can't be seen",
	"a\rb":                                "can't be seen",
	"a\tb":                                "can't be seen",
	"a\x1b[31mb":                          "can't be seen",
	"a\x7fb":                              "can't be seen",
	"a\u0085b":                            "can't be seen",
	"a\u009bb":                            "can't be seen",
	"a\u2028b":                            "can't be seen",
	"a\u202egnp.exe":                      "can't be seen",
	"a\u2066b":                            "can't be seen",
	"a\xffb":                              "is not valid UTF-8",
	"a\xc0\xafb":                          "is not valid UTF-8",
	"CON":                                 "a device on Windows",
	"con":                                 "a device on Windows",
	"nul.txt":                             "a device on Windows",
	"Aux.tar.gz":                          "a device on Windows",
	"prn":                                 "a device on Windows",
	"COM1":                                "a device on Windows",
	"com9.log":                            "a device on Windows",
	"LPT¹":                                "a device on Windows",
	"conin$":                              "a device on Windows",
	"a/nul/b":                             "a device on Windows",
	"dot.":                                "whose end Windows drops",
	"space ":                              "whose end Windows drops",
	"a./b":                                "whose end Windows drops",
	"...":                                 "whose end Windows drops",
	" ":                                   "whose end Windows drops",
	".runner/runner.db":                   "is not for outputs",
	".Runner/x":                           "is not for outputs",
	".git/hooks/post-checkout":            "is not for outputs",
	"sub/.GIT/config":                     "is not for outputs",
	"git~1/config":                        "is not for outputs",
	strings.Repeat("x", 256):              "has a part of 256 bytes",
	strings.Repeat("é", 128):              "has a part of 256 bytes",
	strings.Repeat("0123456/", 140) + "x": "bytes; 1024 is the most",
}

// good are names that must stay possible.
var good = []string{
	"a", "a.md", "a/b/c.md", "é", "日本語", "a b", ".hidden", "..a", "a..b", "con1", "common", "nulls.txt", "com10", "lpt", "git",
	"x-~1", "'quoted'", "50%", "a,b;c", "{x}", "#1", "-rf", "👩‍🔬", strings.Repeat("x", 255), "מסמך",
}

// Both before the run, where the name is known, and in it, where an answer gives it.
func TestHostileNames(t *testing.T) {
	if len(hostile) < 60 {
		t.Fatalf("only %d names", len(hostile))
	}
	for bad, want := range hostile {
		b := newBench(t, []string{"x"}, to(t, "{{ .x }}"))
		b.job.Outputs[0].Form = specs.JSONL
		b.again()
		diags := b.set.Check(row(0, object{"x": bad}))
		if len(diags) != 1 || !strings.Contains(diags[0].Message, want) || diags[0].Help == "" {
			t.Errorf("%q: %v, want %q", bad, diags, want)
		}

		out := to(t, "{{ .response }}")
		out.Form = specs.JSONL
		b = newBench(t, nil, out)
		b.write(ok(0, nil, bad))
		if written := b.commit(); len(written) != 0 {
			t.Errorf("%q: wrote %v", bad, written)
		}
		problems, n, rest := b.set.Problems()
		if n != 1 || !strings.Contains(problems.String(), want) {
			t.Errorf("%q: %v", bad, problems)
		}
		for name, text := range b.files() {
			if name != rest || !strings.Contains(text, `"row":0`) {
				t.Errorf("%q: there is a file %q", bad, name)
			}
		}
	}
}

func TestGoodNames(t *testing.T) {
	for _, name := range good {
		b := newBench(t, []string{"x"}, to(t, "{{ .x }}"))
		b.job.Outputs[0].Form = specs.JSONL
		b.again()
		vars := object{"x": name}
		if diags := b.set.Check(row(0, vars)); len(diags) != 0 {
			t.Errorf("%q: %v", name, diags)
			continue
		}
		b.write(ok(0, vars, "yes"))
		b.commit()
		if _, err := os.Stat(filepath.Join(b.dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// The job file's own text may lead to other folders of the root, data may not.
func TestFolders(t *testing.T) {
	tests := []struct{ dir, file, x, want, wrong string }{
		{dir: "jobs", file: "../out/{{ .x }}.jsonl", x: "a", want: "out/a.jsonl"},
		{dir: "jobs", file: "./out//{{ .x }}.jsonl", x: "a", want: "jobs/out/a.jsonl"},
		{dir: "jobs", file: "{{ .x }}.jsonl", x: "a/b", want: "jobs/a/b.jsonl"},
		{dir: "jobs", file: "out/{{ .x }}/y.jsonl", x: "..", wrong: `has the part ".."`},
		{dir: "jobs", file: "../../{{ .x }}.jsonl", x: "a", wrong: "leaves the root"},
		{dir: ".", file: "../x.jsonl", wrong: "leaves the root"},
		{dir: "a:b", file: "x.jsonl", want: "a:b/x.jsonl"},
	}
	for _, test := range tests {
		b := newBench(t, []string{"x"}, to(t, test.file))
		b.job.Dir = test.dir
		b.again()
		vars := object{"x": test.x}
		diags := b.set.Check(row(0, vars))
		if test.wrong != "" {
			if !strings.Contains(diags.String(), test.wrong) {
				t.Errorf("%s in %s: %v, want %q", test.file, test.dir, diags, test.wrong)
			}
			continue
		}
		if len(diags) > 0 {
			t.Errorf("%s in %s: %v", test.file, test.dir, diags)
			continue
		}
		b.write(ok(0, vars, "yes"))
		if written := b.commit(); len(written) != 1 || written[0].Path != test.want {
			t.Errorf("%s in %s: %v, want %s", test.file, test.dir, written, test.want)
		}
	}
}

func TestCollisions(t *testing.T) {
	list := func(values ...string) []map[string]any {
		var rows []map[string]any
		for _, v := range values {
			rows = append(rows, object{"x": v})
		}
		return rows
	}
	tests := []struct {
		name  string
		files []string
		rows  []map[string]any
		want  string // empty: nothing is wrong
	}{
		{"rows of one output share a file", []string{"{{ .x }}.jsonl"}, list("a", "b", "a"), ""},
		{"two outputs, one path", []string{"out.jsonl", "./out.jsonl"}, list("a"), `job.yaml:9:9: row 0: output "./out.jsonl": the file name "./out.jsonl" is also that of the output at job.yaml:9:5, for row 0; give each output names of its own`},
		{"two outputs meet in a row", []string{"{{ .x }}.jsonl", "b.jsonl"}, list("a", "b"), `is also that of the output at job.yaml:9:5`},
		{"case", []string{"{{ .x }}.jsonl"}, list("EN", "fr", "en"), `row 2: output "{{ .x }}.jsonl": the file name "en.jsonl" differs only in case from "EN.jsonl" of row 0; `},
		{"case beyond ASCII", []string{"{{ .x }}.jsonl"}, list("Σ", "ς"), "differs only in case"},
		{"the Kelvin sign", []string{"{{ .x }}.jsonl"}, list("k", "\u212a"), "differs only in case"},
		{"case over outputs", []string{"{{ .x }}.jsonl", "A.jsonl"}, list("a"), `differs only in case from "a.jsonl" of row 0, the output at job.yaml:9:5`},
		{"case of a folder", []string{"{{ .x }}/f.jsonl"}, list("A", "a"), "differs only in case"},
		{"a file as folder", []string{"{{ .x }}"}, list("a", "a/b"), `uses "a" as a folder, the file of row 0`},
		{"a folder as file", []string{"{{ .x }}"}, list("a/b/c", "A/B"), `is a folder in "a/b/c" of row 0`},
		{"the job file", []string{"Job.yaml"}, list("a"), "is the job file"},
		{"a data file", []string{"data/{{ .x }}.jsonl"}, list("rows"), "is the data file of d"},
		{"a data file as folder", []string{"data/rows.jsonl/{{ .x }}"}, list("a"), "which is the data file of d"},
		{"a prompt file", []string{"prompts/p.tmpl"}, list("a"), "is a prompt file of the job"},
		{"a glob", []string{"docs/{{ .x }}.md"}, list("de/a"), "matches the glob of doc"},
		{"beside a glob", []string{"docs/{{ .x }}.jsonl"}, list("de/a"), ""},
	}
	for _, test := range tests {
		var outputs []specs.Output
		for _, file := range test.files {
			out := to(t, file)
			out.Form = specs.JSONL
			outputs = append(outputs, out)
		}
		b := newBench(t, []string{"x"}, outputs...)
		addInputs(t, b.job)
		b.again()
		var found specs.Diagnostics
		for i, vars := range test.rows {
			found = append(found, b.set.Check(row(int64(i), vars))...)
		}
		if test.want == "" && len(found) > 0 || !strings.Contains(found.String(), test.want) || test.want != "" && len(found) != 1 {
			t.Errorf("%s: %v\nwant %s", test.name, found, test.want)
		}
	}
}

func addInputs(t *testing.T, job *specs.Job) {
	prompt := tmpl(t, "x")
	prompt.File = "prompts/p.tmpl"
	job.Steps = []specs.Step{{Messages: []specs.Message{{Role: "user", Content: prompt}}}}
	job.Axes = append(job.Axes,
		specs.Axis{Name: name("d"), File: dataFile("data/rows.jsonl")},
		specs.Axis{Name: name("doc"), Glob: "docs/**/*.md"})
}

// The mistakes of many rows are alike: some are told, not all.
func TestManyMistakes(t *testing.T) {
	b := newBench(t, []string{"x"}, to(t, "{{ .x }}/../a.jsonl"))
	n := 0
	for i := range int64(1000) {
		n += len(b.set.Check(row(i, object{"x": strings.Repeat("y", int(i%100)+1)})))
	}
	if n != 10 {
		t.Errorf("%d mistakes told", n)
	}
}

// What stands at an output's path is looked at before the run.
func TestCheckLooksAtTargets(t *testing.T) {
	b := newBench(t, []string{"x"}, to(t, "out/{{ .x }}.jsonl"))
	b.put("out/plain.jsonl", "old")
	b.put("out/folder.jsonl/file", "old")
	for link, target := range map[string]string{"in": "plain.jsonl", "outside": "/etc/hostname", "nowhere": "none"} {
		if err := os.Symlink(target, filepath.Join(b.dir, "out", link+".jsonl")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(b.dir, "out", "away")); err != nil {
		t.Fatal(err)
	}
	for x, want := range map[string]string{
		"plain": "", "new": "", "folder": "is a folder", "in": "is a symbolic link", "outside": "is a symbolic link",
		"nowhere": "is a symbolic link", "away/x": "leads outside the root",
	} {
		found := b.set.Check(row(0, object{"x": x}))
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || !strings.Contains(found.String(), want)) {
			t.Errorf("%s: %v, want %q", x, found, want)
		}
	}
}

// A folder that is a link leads to what the job reads by another name.
func TestInputsByAnotherName(t *testing.T) {
	b := newBench(t, []string{"x"}, to(t, "out/{{ .x }}.jsonl"))
	addInputs(t, b.job)
	b.again()
	b.put("data/rows.jsonl", "{}")
	b.put("data/other.jsonl", "{}")
	if err := os.Symlink("data", filepath.Join(b.dir, "out")); err != nil {
		t.Fatal(err)
	}
	for x, want := range map[string]string{"rows": `"out/rows.jsonl" is the data file of d, data/rows.jsonl`, "other": ""} {
		found := b.set.Check(row(0, object{"x": x}))
		if want == "" && len(found) > 0 || !strings.Contains(found.String(), want) {
			t.Errorf("%s: %v", x, found)
		}
	}
	b.again()
	b.write(ok(0, object{"x": "rows"}, "r"))
	if _, err := b.set.Commit(); err == nil || b.read("data/rows.jsonl") != "{}" {
		t.Errorf("the data file was replaced: %v", err)
	}
}

// Templates that need no answer are rendered before the run.
func TestCheckRenders(t *testing.T) {
	all := func() (specs.Output, object) { return text(t, "out.md", "{{ .response }}"), object{"x": "a"} }
	tests := []struct {
		name   string
		change func(o *specs.Output, vars object)
		want   string
	}{
		{"nothing wrong", func(*specs.Output, object) {}, ""},
		{"answers are not known", func(o *specs.Output, _ object) { o.Header = tmpl(t, "{{ .steps.main.response.x }}") }, ""},
		{"header", func(o *specs.Output, _ object) { o.Header = tmpl(t, "{{ .x }} {{ .y }}") }, "header: "},
		{"footer", func(o *specs.Output, _ object) { o.Footer = tmpl(t, "{{ .y }}") }, "footer: "},
		{"file", func(o *specs.Output, _ object) { o.File = tmpl(t, "{{ .y }}.md") }, "file: "},
		{"when", func(o *specs.Output, _ object) { o.When = tmpl(t, "{{ .x }}") }, `when: it must be true or false, and is "a"`},
		{"when false: no matter what", func(o *specs.Output, vars object) {
			o.When, o.File, vars["w"] = tmpl(t, "{{ .w }}"), tmpl(t, "{{ .y }}"), false
		}, ""},
	}
	for _, test := range tests {
		out, vars := all()
		test.change(&out, vars)
		b := newBench(t, []string{"x"}, out)
		found := b.set.Check(row(3, maps.Clone(vars)))
		if test.want == "" && len(found) > 0 || test.want != "" && (len(found) != 1 || !strings.Contains(found.String(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, found, test.want)
		}
	}
}

func TestCheckKeys(t *testing.T) {
	out := to(t, "{{ .x }}.json")
	out.Key, out.Value = tmpl(t, "{{ .k }}"), tmpl(t, "{{ .response }}")
	b := newBench(t, []string{"x", "k"}, out)
	var found specs.Diagnostics
	for i, k := range []object{{"x": "a", "k": "1"}, {"x": "b", "k": "1"}, {"x": "a", "k": "2"}, {"x": "b", "k": "1"}} {
		found = append(found, b.set.Check(row(int64(i), k))...)
		found = append(found, b.set.Check(row(int64(i), k))...) // told once, and no row is its own duplicate
	}
	want := `row 3: output "{{ .x }}.json": key: "1" is the key of row 1 too, both in b.json; keys of one file must be unique`
	if len(found) != 1 || found[0].Message != want {
		t.Errorf("%v", found)
	}
}
