package pipeline

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/specs"
	"github.com/google/go-cmp/cmp"
)

// The examples of GitHub's documentation, "Running variations of jobs in a workflow".
func TestGitHubsExamples(t *testing.T) {
	tests := []struct {
		name             string
		axes             []specs.Axis
		exclude, include string
		want             []string
		joined           []int64
	}{
		{
			name:    "expanding or adding matrix configurations",
			axes:    []specs.Axis{list(t, "fruit", "[apple, pear]"), list(t, "animal", "[cat, dog]")},
			include: `[{color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]`,
			want: []string{
				`{"animal":"cat","color":"pink","fruit":"apple","shape":"circle"}`,
				`{"animal":"dog","color":"green","fruit":"apple","shape":"circle"}`,
				`{"animal":"cat","color":"pink","fruit":"pear"}`,
				`{"animal":"dog","color":"green","fruit":"pear"}`,
				`{"fruit":"banana"}`,
				`{"animal":"cat","fruit":"banana"}`,
			},
			joined: []int64{4, 2, 2, 0, 0},
		},
		{
			name:    "expanding configurations",
			axes:    []specs.Axis{list(t, "os", "[windows-latest, ubuntu-latest]"), list(t, "node", "[14, 16]")},
			include: `[{os: windows-latest, node: 16, npm: 6}]`,
			want: []string{
				`{"node":14,"os":"windows-latest"}`, `{"node":16,"npm":6,"os":"windows-latest"}`,
				`{"node":14,"os":"ubuntu-latest"}`, `{"node":16,"os":"ubuntu-latest"}`,
			},
			joined: []int64{1},
		},
		{
			name:    "adding configurations",
			axes:    []specs.Axis{list(t, "os", "[macos-latest, windows-latest]"), list(t, "version", "[12, 14]")},
			include: `[{os: windows-latest, version: 17}]`,
			want: []string{
				`{"os":"macos-latest","version":12}`, `{"os":"macos-latest","version":14}`,
				`{"os":"windows-latest","version":12}`, `{"os":"windows-latest","version":14}`,
				`{"os":"windows-latest","version":17}`,
			},
			joined: []int64{0},
		},
		{
			name:    "include alone",
			include: `[{site: production, datacenter: site-a}, {site: staging, datacenter: site-b}]`,
			want:    []string{`{"datacenter":"site-a","site":"production"}`, `{"datacenter":"site-b","site":"staging"}`},
			joined:  []int64{0, 0},
		},
		{
			name:    "excluding matrix configurations",
			axes:    []specs.Axis{list(t, "os", "[macos-latest, windows-latest]"), list(t, "version", "[12, 14, 16]"), list(t, "environment", "[staging, production]")},
			exclude: `[{os: macos-latest, version: 12, environment: production}, {os: windows-latest, version: 16}]`,
			want: []string{
				`{"environment":"staging","os":"macos-latest","version":12}`,
				`{"environment":"staging","os":"macos-latest","version":14}`,
				`{"environment":"production","os":"macos-latest","version":14}`,
				`{"environment":"staging","os":"macos-latest","version":16}`,
				`{"environment":"production","os":"macos-latest","version":16}`,
				`{"environment":"staging","os":"windows-latest","version":12}`,
				`{"environment":"production","os":"windows-latest","version":12}`,
				`{"environment":"staging","os":"windows-latest","version":14}`,
				`{"environment":"production","os":"windows-latest","version":14}`,
			},
		},
		{
			name:    "include joins what exclude left, and a row of its own is not excluded",
			axes:    []specs.Axis{list(t, "os", "[mac, win]")},
			exclude: `[{os: win}]`,
			include: `[{os: win, fast: true}]`,
			want:    []string{`{"os":"mac"}`, `{"fast":true,"os":"win"}`},
			joined:  []int64{0},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j := job(t, "x", test.axes...)
			j.Exclude, j.Include = entries(t, test.exclude), entries(t, test.include)
			p := build(t, j, nil)
			if d := cmp.Diff(test.want, rows(t, p)); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if p.Total != int64(len(test.want)) {
				t.Errorf("Total = %d, want %d", p.Total, len(test.want))
			}
			if d := cmp.Diff(test.joined, append([]int64(nil), p.Effects.Joined...)); d != "" {
				t.Errorf("Joined (-want +got):\n%s", d)
			}
		})
	}
}

func TestMatrixRules(t *testing.T) {
	people := fstest.MapFS{
		"p.csv":  {Data: []byte("id,n\na,007\nb,1.10\nc,1\n")},
		"p.json": {Data: []byte(`[{"id":"a","tags":["x","y"]},{"id":"b","tags":[]}, null]`)},
	}
	tests := []struct {
		name             string
		axes             []specs.Axis
		vars             string
		exclude, include string
		want             []string
	}{
		{name: "no matrix is one row", want: []string{`{}`}},
		{name: "constants are in every row", vars: "{tone: warm}", axes: []specs.Axis{list(t, "n", "[1, 1.10]")},
			want: []string{`{"n":1,"tone":"warm"}`, `{"n":1.10,"tone":"warm"}`}},
		{name: "the last axis varies fastest", axes: []specs.Axis{list(t, "a", "[1, 2]"), {Name: specs.String{Value: "b"}, Count: 2}, list(t, "c", "[x, y]")},
			want: []string{
				`{"a":1,"b":1,"c":"x"}`, `{"a":1,"b":1,"c":"y"}`, `{"a":1,"b":2,"c":"x"}`, `{"a":1,"b":2,"c":"y"}`,
				`{"a":2,"b":1,"c":"x"}`, `{"a":2,"b":1,"c":"y"}`, `{"a":2,"b":2,"c":"x"}`, `{"a":2,"b":2,"c":"y"}`}},
		{name: "include goes over vars, a later entry over an earlier, and no axis changes",
			vars: "{tone: warm}", axes: []specs.Axis{list(t, "l", "[de, fr]")},
			include: `[{tone: cold}, {l: fr, tone: dry}]`,
			want:    []string{`{"l":"de","tone":"cold"}`, `{"l":"fr","tone":"dry"}`}},
		{name: "a row of its own has the constants and nothing of the axes",
			vars: "{tone: warm}", axes: []specs.Axis{list(t, "a", "[1]"), list(t, "b", "[1]")}, include: `[{a: 2, x: y}]`,
			want: []string{`{"a":1,"b":1,"tone":"warm"}`, `{"a":2,"tone":"warm","x":"y"}`}},
		{name: "objects match in part, numbers by their spelling, whatever the file's kind",
			axes: []specs.Axis{file("p", "p.csv")}, exclude: `[{p: {n: 7}}, {p: {n: 1.1}}, {p: {n: 1}}]`, include: `[{p: {id: b}, old: true}, {p: {n: 007}, bond: yes}]`,
			want: []string{`{"bond":"yes","p":{"id":"a","n":"007"}}`, `{"old":true,"p":{"id":"b","n":"1.10"}}`}},
		{name: "lists match as a whole, null only null",
			axes: []specs.Axis{file("p", "p.json")}, exclude: `[{p: {tags: [x]}}, {p: {tags: []}}, {p: ""}, {p: {gone: null}}]`, include: `[{p: ~, x: 1}, {p: {tags: [x, y]}, x: 2}]`,
			want: []string{`{"p":{"id":"a","tags":["x","y"]},"x":2}`, `{"p":null,"x":1}`}},
		{name: "true is spelled as in CSV", axes: []specs.Axis{list(t, "a", "[true, 'false', 'True']")}, exclude: `[{a: 'true'}, {a: false}, {a: [true]}]`,
			want: []string{`{"a":"True"}`}},
		{name: "exclude reads constants", vars: "{tone: warm}", axes: []specs.Axis{list(t, "a", "[1, 2]")}, exclude: `[{a: 1, tone: warm}, {a: 2, tone: cold}, {a: 2, gone: 1}]`,
			want: []string{`{"a":2,"tone":"warm"}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			j := job(t, "x", test.axes...)
			vars, _ := value(t, test.vars+"\n").(object)
			for name, v := range vars {
				j.Vars = append(j.Vars, specs.Var{Name: specs.String{Value: name}, Value: v})
			}
			j.Exclude, j.Include = entries(t, test.exclude), entries(t, test.include)
			p := build(t, j, people)
			got := rows(t, p)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if p.Total != int64(len(test.want)) {
				t.Errorf("Total = %d, want %d", p.Total, len(test.want))
			}
			if d := cmp.Diff(got, rows(t, p)); d != "" {
				t.Errorf("read again (-first +second):\n%s", d)
			}
		})
	}
}

func TestColumns(t *testing.T) {
	j := job(t, "x", list(t, "b", "[1]"), list(t, "a", "[1]"))
	j.Vars = []specs.Var{{Name: specs.String{Value: "tone"}, Value: "x"}, {Name: specs.String{Value: "still"}, Value: "x"}}
	j.Include = entries(t, "[{z: 1, a: 1}, {tone: 2, z: 2}]")
	if d := cmp.Diff([]string{"b", "a", "z", "tone"}, build(t, j, nil).Columns); d != "" {
		t.Error(d)
	}
}

// Total and Effects are told without going through the product of all axes.
func TestEffectsOfALargeMatrix(t *testing.T) {
	many := specs.Axis{Count: 1 << 30}
	a, b := many, many
	a.Name.Value, b.Name.Value = "a", "b"
	j := job(t, "x", list(t, "l", "[de, fr, es]"), a)
	j.Exclude, j.Include = entries(t, "[{l: de}, {l: xx}]"), entries(t, "[{l: fr, x: 1}, {l: de, x: 1}, {x: 2}]")
	p := build(t, j, nil)
	if want := int64(2<<30 + 1); p.Total != want {
		t.Errorf("Total = %d, want %d", p.Total, want)
	}
	want := &Effects{Excluded: []int64{1 << 30, 0}, Joined: []int64{1 << 30, 0, 2 << 30}}
	if d := cmp.Diff(want, p.Effects); d != "" {
		t.Errorf("Effects (-want +got):\n%s", d)
	}
	j.Include = entries(t, "[{a: 5, x: 1}]")
	if p := build(t, j, nil); p.Effects != nil || p.Total != unknown {
		t.Errorf("Effects %v and Total %d told from 3 * 2^30 combinations", p.Effects, p.Total)
	}
	j = job(t, "x", a, b, list(t, "c", "[1, 2, 3, 4, 5, 6, 7, 8, 9]"))
	if p := build(t, j, nil); p.Total != unknown {
		t.Errorf("Total = %d for 9 * 2^60 rows", p.Total)
	}
}

func TestBuildErrors(t *testing.T) {
	data := fstest.MapFS{
		"empty.txt":  {Data: []byte("\n")},
		"bad.csv":    {Data: []byte("a,a\n")},
		"ragged.csv": {Data: []byte("a,b\n1\n")},
		"docs/a.md":  {Data: []byte("x")},
		"latin.md":   {Data: []byte("caf\xe9")},
	}
	glob := func(pattern string) specs.Axis {
		return specs.Axis{Name: specs.String{Value: "doc", Pos: specs.Pos{Line: 4, Col: 3}}, Glob: pattern}
	}
	tests := []struct {
		name string
		axes []specs.Axis
		want []string
	}{
		{"a missing file", []specs.Axis{file("a", "gone.csv")}, []string{"gone.csv: there is no such file"}},
		{"all at once", []specs.Axis{file("a", "gone.csv"), file("b", "bad.csv"), file("c", "empty.txt")}, []string{
			"gone.csv: there is no such file",
			`bad.csv:1:1: columns 1 and 2 are both named "a"; give each column a name of its own`,
			`job.yaml:3:3: axis "c" has no values: empty.txt has no rows`}},
		{"a ragged line in a further axis", []specs.Axis{list(t, "a", "[1]"), file("b", "ragged.csv")}, []string{"ragged.csv:2:1: 1 field, but the header has 2"}},
		{"a glob that finds nothing", []specs.Axis{glob("docs/*.txt")}, []string{`job.yaml:4:3: axis "doc" has no values: "docs/*.txt" matches no file`}},
		{"a glob out of the root", []specs.Axis{glob("../*.md")}, []string{`job.yaml:4:3: "../*.md" leads outside the root`}},
		{"a document of a further axis", []specs.Axis{list(t, "a", "[1]"), glob("*.md")}, []string{"latin.md:1:1: byte 0xE9 is not UTF-8 (perhaps Latin-1 or Windows-1252); save the file as UTF-8"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Build(job(t, "x", test.axes...), data)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(strings.Join(test.want, "\n"), err.Error()); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
	j := job(t, "x", list(t, "a", "[1, 2]"))
	j.Exclude = entries(t, "[{a: 1}, {a: 2}]")
	want := "job.yaml:20:5: the matrix has no rows; exclude drops all of them"
	if _, err := Build(j, data); err == nil || err.Error() != want {
		t.Errorf("everything excluded: %v, want %s", err, want)
	}
}
