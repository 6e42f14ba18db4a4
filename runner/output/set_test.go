package output_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner/output"
	"github.com/batchrunner/runner/specs"
)

func TestRowsOfAFile(t *testing.T) {
	out := text(t, "out/{{ .lang }}.md", "{{ .row.id }}: {{ .response }}\n")
	b := newBench(t, []string{"lang"}, out)
	langs := []string{"fr", "de", "ja"}
	for i := range int64(9) {
		b.write(ok(i, object{"lang": langs[i%3]}, "r"))
	}
	b.commit()
	for i, lang := range langs {
		want := fmt.Sprintf("%d: r\n%d: r\n%d: r\n", i, i+3, i+6)
		if got := b.read("out/" + lang + ".md"); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

// A failed row keeps its record; a text or a catalogue of which a row is missing
// stays as it was.
func TestFailedRows(t *testing.T) {
	catalogue := to(t, "{{ .lang }}.json")
	catalogue.Key, catalogue.Value = tmpl(t, "k{{ .row.id }}"), tmpl(t, "{{ .response }}")
	b := newBench(t, []string{"lang"}, to(t, "all.jsonl"), text(t, "{{ .lang }}.md", "{{ .response }}\n"), catalogue)
	b.put("fr.md", "old\n")
	b.put("fr.json", "{}")
	b.put("de.md", "old\n")
	b.write(ok(0, object{"lang": "fr"}, "un"), failed(1, object{"lang": "fr"}), ok(2, object{"lang": "de"}, "zwei"), failed(3, object{"lang": "ja"}))
	want := strings.TrimSpace(`
all.jsonl: created, 4 rows
de.json: created, 1 row
de.md: changed, 1 row
fr.json: stays as it was: 1 of its 2 rows failed; the others are in .runner/partial/job/fr.json
fr.md: stays as it was: 1 of its 2 rows failed; the others are in .runner/partial/job/fr.md
ja.json: is not written: its only row failed
ja.md: is not written: its only row failed`)
	if diff := cmp.Diff(want, states(b.commit())); diff != "" {
		t.Error(diff)
	}
	files := b.files()
	if n := strings.Count(files["all.jsonl"], "\n"); n != 4 {
		t.Errorf("%d records", n)
	}
	delete(files, "all.jsonl")
	wantFiles := map[string]string{
		"fr.md": "old\n", "fr.json": "{}", "de.md": "zwei\n", "de.json": "{\n  \"k2\": \"zwei\"\n}\n",
		".runner/partial/job/fr.md": "un\n", ".runner/partial/job/fr.json": "{\n  \"k0\": \"un\"\n}\n",
	}
	if diff := cmp.Diff(wantFiles, files); diff != "" {
		t.Error(diff)
	}
}

// Where only the answer tells the file, a failed row could belong to any of them.
func TestFailedRowOfUnknownFile(t *testing.T) {
	b := newBench(t, nil, to(t, "{{ .response }}.jsonl"), text(t, "{{ .response }}.md", "x"))
	b.put("a.md", "old")
	b.write(ok(0, nil, "a"), failed(1, nil))
	want := strings.TrimSpace(`
a.jsonl: created, 1 row
a.md: stays as it was: 1 row failed whose file only the answer tells; the others are in .runner/partial/job/a.md`)
	if diff := cmp.Diff(want, states(b.commit())); diff != "" {
		t.Error(diff)
	}
	_, n, rest := b.set.Problems()
	if n != 1 || !strings.Contains(b.read(rest), `"row":1,"id":"1","vars":{},"success":false`) {
		t.Errorf("%d problems", n)
	}
}

// A failed row keeps its record where its when asks for the answer that failed; a
// text is then not known to be complete without it.
func TestFailedRowsAndWhen(t *testing.T) {
	records, page := to(t, "all.jsonl"), text(t, "page.md", "{{ .response }}")
	records.When, page.When = tmpl(t, "{{ gt .json.score 3 }}"), tmpl(t, "{{ gt .json.score 3 }}")
	b := newBench(t, nil, records, page)
	low, high := ok(0, nil, "low"), ok(1, nil, "high")
	low.Results[0].Answer.JSON, high.Results[0].Answer.JSON = object{"score": number("2")}, object{"score": number("4")}
	b.write(low, high, failed(2, nil))
	want := "all.jsonl: created, 2 rows\npage.md: is not written: 1 of its 2 rows failed; the others are in .runner/partial/job/page.md"
	if got := states(b.commit()); got != want {
		t.Error(got)
	}
	if _, n, _ := b.set.Problems(); n != 0 {
		t.Errorf("%d problems", n)
	}
}

// What can't be made of an answer that is ok is told, and the answer is kept.
func TestProblems(t *testing.T) {
	shaped := columns(t, to(t, "shaped.jsonl"), "n", "{{ .row.number }}", "score", "{{ .json.score }}")
	whenever := to(t, "when.jsonl")
	whenever.When = tmpl(t, "{{ .response }}")
	catalogue := to(t, "cat.json")
	catalogue.Key, catalogue.Value = tmpl(t, "{{ .response }}"), tmpl(t, "{{ .row.number }}")
	b := newBench(t, nil, shaped, whenever, catalogue)
	b.put("cat.json", "old")
	first := ok(0, nil, "true")
	first.Results[0].Answer.JSON = object{"score": number("4")}
	b.write(first, ok(1, nil, "true"))
	written := b.commit()
	if got := b.read("shaped.jsonl"); got != "{\"n\":0,\"score\":4}\n{\"n\":1,\"score\":null}\n" {
		t.Errorf("shaped: %s", got)
	}
	if got := states(written); !strings.Contains(got, "cat.json: stays as it was: 1 row could not be written; the others are in .runner/partial/job/cat.json") {
		t.Errorf("%s", got)
	}
	problems, n, rest := b.set.Problems()
	if n != 1 || !strings.Contains(problems[0].Message, `row 1: output "shaped.jsonl": column "score": `) ||
		!strings.Contains(problems[1].Message, `row 1: output "cat.json": key: "true" is the key of row 0 too`) {
		t.Errorf("%v", problems)
	}
	var record struct {
		Row               int
		Response, Problem string
	}
	if err := json.Unmarshal([]byte(b.read(rest)), &record); err != nil || record.Row != 1 || record.Response != "true" || record.Problem == "" {
		t.Errorf("%v, %v", record, err)
	}

	b.again()
	b.write(ok(0, nil, "perhaps"))
	b.commit()
	if problems, _, _ := b.set.Problems(); !strings.Contains(problems.String(), `when: it must be true or false, and is "perhaps"`) {
		t.Errorf("%v", problems)
	}
}

// A row counts once, however many of its cells have a problem; untold are the rows
// after those that the first problems are about.
func TestProblemsCountRows(t *testing.T) {
	shaped := columns(t, to(t, "shaped.jsonl"), "a", "{{ .json.a }}", "b", "{{ .json.b }}", "c", "{{ .json.c }}")
	for _, test := range []struct {
		rows, untold int64
		told         int
	}{{2, 0, 6}, {7, 0, 20}, {8, 1, 20}, {30, 23, 20}} {
		b := newBench(t, nil, shaped)
		for i := range test.rows {
			b.write(ok(2*i, nil, "bad"), failed(2*i+1, nil)) // the cells of a failed row are empty, and no problem
		}
		b.commit()
		first, rows, _ := b.set.Problems()
		if rows != test.rows || len(first) != test.told || b.set.Untold() != test.untold {
			t.Errorf("%d rows, %d problems, %d rows untold; want %+v", rows, len(first), b.set.Untold(), test)
		}
	}
}

// A record that has no place is in the rest of its own run only.
func TestRestIsCleared(t *testing.T) {
	b := newBench(t, nil, to(t, "{{ .response }}.jsonl"))
	b.write(ok(0, nil, "../a"))
	b.commit()
	_, _, rest := b.set.Problems()
	if rest != ".runner/unplaced/job.jsonl" {
		t.Fatalf("rest %q", rest)
	}
	b.again()
	b.write(ok(0, nil, "a"))
	b.commit()
	if _, has := b.files()[rest]; has {
		t.Error("the rest of the run before is still there")
	}
}

// Names from answers meet names of other outputs only in the run.
func TestCollisionInTheRun(t *testing.T) {
	b := newBench(t, nil, to(t, "fixed.jsonl"), to(t, "{{ .response }}.jsonl"))
	for i := range int64(2) {
		if found := b.set.Check(row(i, nil)); len(found) > 0 {
			t.Fatal(found)
		}
	}
	b.write(ok(0, nil, "Fixed"), ok(1, nil, "fixed"))
	b.commit()
	problems, n, _ := b.set.Problems()
	if n != 2 || !strings.Contains(problems[0].Message, "differs only in case") || !strings.Contains(problems[1].Message, "is also that of the output at job.yaml:9:5") {
		t.Errorf("%v", problems)
	}
	if files := b.files(); strings.Count(files["fixed.jsonl"], "\n") != 2 || len(files) != 2 {
		t.Errorf("%v", files)
	}
}

// A name that is constant has its file even if no row has a record in it.
func TestNoRecords(t *testing.T) {
	catalogue := to(t, "cat.json")
	catalogue.Key, catalogue.Value = tmpl(t, "{{ .row.id }}"), tmpl(t, "{{ .response }}")
	page := text(t, "page.md", "x")
	page.Header, page.Footer = tmpl(t, "# Head\n"), tmpl(t, "end\n")
	open := text(t, "open.md", "x")
	open.Header = tmpl(t, "# {{ .x }}\n")
	b := newBench(t, []string{"x"}, to(t, "a.jsonl"), to(t, "a.json"), to(t, "a.csv"), catalogue, page, open, to(t, "{{ .x }}.jsonl"),
		columns(t, to(t, "b.csv"), "=one", "x"))
	b.put("a.jsonl", "old\n")
	b.commit()
	want := map[string]string{
		"a.jsonl": "", "a.json": "[]\n", "a.csv": "row,id,x,response,model,success,error,error_class\n", "cat.json": "{}\n",
		"page.md": "# Head\nend\n", "open.md": "", "b.csv": "'=one\n",
	}
	if diff := cmp.Diff(want, b.files()); diff != "" {
		t.Error(diff)
	}
}

// Fields that the job does not tell come from the first record; later ones are
// columns at the end, also of records that were written before.
func TestLateColumns(t *testing.T) {
	b := newBench(t, []string{"p"}, to(t, "{{ .row.file }}.csv"), to(t, "all.tsv"))
	b.job.Outputs[0].File = tmpl(t, "out-{{ .p.f }}.csv")
	b.again()
	b.write(
		ok(0, object{"p": object{"f": "1", "a": "x, \"y\"\nz"}}, "r"),
		ok(1, object{"p": object{"f": "2", "a": "x", "late": []any{number("1.0"), "q"}}}, "r"),
		ok(2, object{"p": object{"f": "1", "deep": object{"k": nil}}}, "r"),
	)
	b.commit()
	want := map[string]string{
		"out-1.csv": "row,id,p.a,p.f,response,model,success,error,error_class,p.late,p.deep\n0,0,\"x, \"\"y\"\"\nz\",1,r,gemma3:12b,true,,,,\n2,2,,1,r,gemma3:12b,true,,,,\"{\"\"k\"\":null}\"\n",
		"out-2.csv": "row,id,p.a,p.f,response,model,success,error,error_class,p.late,p.deep\n1,1,x,2,r,gemma3:12b,true,,,\"[1.0,\"\"q\"\"]\",\n",
		"all.tsv":   "row\tid\tp.a\tp.f\tresponse\tmodel\tsuccess\terror\terror_class\tp.late\tp.deep\n0\t0\t\"x, \"\"y\"\"\nz\"\t1\tr\tgemma3:12b\ttrue\t\t\t\t\n1\t1\tx\t2\tr\tgemma3:12b\ttrue\t\t\t\"[1.0,\"\"q\"\"]\"\t\n2\t2\t\t1\tr\tgemma3:12b\ttrue\t\t\t\t\"{\"\"k\"\":null}\"\n",
	}
	if diff := cmp.Diff(want, b.files()); diff != "" {
		t.Error(diff)
	}
}

// A variable that is an object in one row and a text in another has columns for
// both; one named as a column of the record is told apart.
func TestMixedColumns(t *testing.T) {
	b := newBench(t, []string{"v", "model"}, to(t, "a.csv"))
	b.write(
		ok(0, object{"v": object{"a": true}, "model": "m1"}, "r"),
		ok(1, object{"v": "plain", "model": "m2"}, "r"),
		ok(2, object{"v": nil, "model": object{"name": "m3"}}, "r"),
	)
	b.commit()
	want := `row,id,v.a,vars.model,response,model,success,error,error_class,v
0,0,true,m1,r,gemma3:12b,true,,,
1,1,,m2,r,gemma3:12b,true,,,plain
2,2,,"{""name"":""m3""}",r,gemma3:12b,true,,,
`
	if diff := cmp.Diff(want, b.read("a.csv")); diff != "" {
		t.Error(diff)
	}
}

// A variable named model stands for the record's, before and in the run.
func TestModelVariable(t *testing.T) {
	b := newBench(t, []string{"model"}, to(t, "{{ .model }}.jsonl"))
	if found := b.set.Check(row(0, object{"model": "a:b"})); len(found) != 1 {
		t.Errorf("%v", found)
	}
	b.again()
	b.write(ok(0, object{"model": "mine"}, "r"), failed(1, object{"model": "mine"}))
	if got := states(b.commit()); got != "mine.jsonl: created, 2 rows" {
		t.Error(got)
	}
}

func TestSimulatedRunsHaveTheirOwnFolder(t *testing.T) {
	b := newBench(t, nil, to(t, "out/a.jsonl"), text(t, "b.md", "{{ .response }}"), to(t, "{{ .response }}/x.jsonl"))
	b.put("out/a.jsonl", "real")
	set, err := output.NewWith(b.root, b.job, b.plan, output.Options{Base: output.Simulated})
	if err != nil {
		t.Fatal(err)
	}
	b.set = set
	b.write(ok(0, nil, ".."), failed(1, nil))
	want := ".runner/simulated/b.md: is not written: 1 of its 2 rows failed; the others are in .runner/simulated/.runner/partial/job/b.md\n" +
		".runner/simulated/out/a.jsonl: created, 2 rows"
	if got := states(b.commit()); got != want {
		t.Error(got)
	}
	for name, text := range b.files() {
		if !strings.HasPrefix(name, ".runner/simulated/") && text != "real" {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := output.NewWith(b.root, b.job, b.plan, output.Options{Base: "../x"}); err == nil {
		t.Error("a base outside the root is taken")
	}
}

// What .runner holds is kept out of git, but for the schema; a .gitignore that is
// there stays as it is.
func TestGitIgnoresTheState(t *testing.T) {
	const ours = "*\n!.gitignore\n!job.schema.json\n"
	for base, name := range map[string]string{
		"": ".runner/.gitignore", output.Simulated: ".runner/.gitignore", "elsewhere/deep": "elsewhere/deep/.runner/.gitignore",
	} {
		for _, have := range []string{"", "# mine\n"} {
			b := newBench(t, nil, to(t, "a.jsonl"))
			want := ours
			if have != "" {
				b.put(name, have)
				want = have
			}
			set, err := output.NewWith(b.root, b.job, b.plan, output.Options{Base: base})
			if err != nil {
				t.Fatal(err)
			}
			if err := set.Begin(); err != nil || b.read(name) != want {
				t.Errorf("base %q with %q: %v, %q", base, have, err, b.read(name))
			}
			if err := set.Discard(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Nothing depends on which rows finished first, only on the records.
func TestSameRecordsSameBytes(t *testing.T) {
	job, plan, records := story(t)
	job.Outputs = []specs.Output{to(t, "a.jsonl"), to(t, "a.csv"), text(t, "{{ .lang }}.md", "{{ .response }}")}
	var files []map[string]string
	for range 2 {
		b := newBench(t, nil)
		b.job, b.plan = job, plan
		b.again()
		b.write(records...)
		b.commit()
		files = append(files, b.files())
	}
	if diff := cmp.Diff(files[0], files[1]); diff != "" {
		t.Error(diff)
	}
}

// Jobs whose names no folder can have still have folders of their own.
func TestJobNames(t *testing.T) {
	seen := map[string]string{}
	for _, job := range []string{"a", "a/b", "a_b", "../x", "..", "con", "é", "a.previous", "a.Previous", "", strings.Repeat("n", 300), strings.Repeat("n", 301)} {
		b := newBench(t, nil, to(t, "{{ .response }}.jsonl"))
		b.job.Name = job
		b.again()
		b.write(ok(0, nil, "r"))
		dir, err := b.set.Keep()
		if err != nil {
			t.Errorf("%q: %v", job, err)
		}
		if other, taken := seen[dir]; taken {
			t.Errorf("%q and %q share %s", job, other, dir)
		}
		seen[dir] = job
		seen[dir+".previous"] = job
		if !strings.HasPrefix(dir, ".runner/partial/") || strings.Count(dir, "/") != 2 {
			t.Errorf("%q: folder %q", job, dir)
		}
	}
}
