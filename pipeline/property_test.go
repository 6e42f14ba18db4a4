package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/batchrunner/runner/specs"
	"pgregory.net/rapid"
)

// drawn is a matrix of small whole numbers. Entries give axes by index; the index
// behind the last axis is a variable that is no axis.
type drawn struct {
	sizes            []int
	exclude, include []map[int]int
}

func draw(t *rapid.T) drawn {
	d := drawn{sizes: rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(t, "sizes")}
	entry := rapid.MapOfN(rapid.IntRange(0, max(0, len(d.sizes)-1)), rapid.IntRange(0, 4), 1, 3)
	if len(d.sizes) > 0 {
		d.exclude = rapid.SliceOfN(entry, 0, 3).Draw(t, "exclude")
	}
	adding := rapid.MapOfN(rapid.IntRange(0, len(d.sizes)+1), rapid.IntRange(0, 4), 1, 3)
	d.include = rapid.SliceOfN(adding, 0, 3).Draw(t, "include")
	return d
}

func name(i int) string { return string(rune('a' + i)) }

func (d drawn) job(t testing.TB) (*specs.Job, fstest.MapFS) {
	data := fstest.MapFS{}
	var axes []specs.Axis
	for i, n := range d.sizes {
		a := specs.Axis{Name: specs.String{Value: name(i)}}
		switch i {
		case 0:
			a = file(name(i), "a.txt")
			data["a.txt"] = &fstest.MapFile{Data: numbered("", n, "#")}
		case 1:
			for k := range n {
				a.List = append(a.List, json.Number(strconv.Itoa(k)))
			}
		default:
			a = file(name(i), "c.csv")
			data["c.csv"] = &fstest.MapFile{Data: numbered("v\n", n, "#")}
		}
		axes = append(axes, a)
	}
	j := job(t, "x", axes...)
	j.Exclude, j.Include = d.entries(d.exclude), d.entries(d.include)
	return j, data
}

func (d drawn) entries(drawn []map[int]int) []specs.Entry {
	var list []specs.Entry
	for _, values := range drawn {
		e := specs.Entry{Values: object{}}
		for i, v := range values {
			e.Names = append(e.Names, specs.String{Value: name(i)})
			e.Values[name(i)] = d.written(i, v)
		}
		list = append(list, e)
	}
	return list
}

// written is a value as an entry has it: of the csv axis an object in part.
func (d drawn) written(i, v int) any {
	if i >= 2 && i < len(d.sizes) {
		return object{"v": json.Number(strconv.Itoa(v))}
	}
	return json.Number(strconv.Itoa(v))
}

// expected says the rule once more, with maps and without laziness: GitHub's text
// read sentence by sentence.
func (d drawn) expected() []map[int]int {
	rows := []map[int]int{{}}
	if len(d.sizes) == 0 && len(d.include) > 0 {
		rows = nil
	}
	for i, n := range d.sizes {
		var longer []map[int]int
		for _, row := range rows {
			for v := range n {
				longer = append(longer, with(row, map[int]int{i: v}))
			}
		}
		rows = longer
	}
	rows = slices.DeleteFunc(rows, func(row map[int]int) bool {
		return slices.ContainsFunc(d.exclude, func(e map[int]int) bool { return d.keeps(row, e) })
	})
	original := slices.Clone(rows)
	var alone []map[int]int
	for _, e := range d.include {
		joined := false
		for i, row := range original {
			if d.keeps(row, e) {
				rows[i], joined = with(rows[i], e), true
			}
		}
		if !joined {
			alone = append(alone, e)
		}
	}
	return append(rows, alone...)
}

// keeps says whether an entry changes no axis value of a row.
func (d drawn) keeps(row, entry map[int]int) bool {
	for i, v := range entry {
		if i < len(d.sizes) && row[i] != v {
			return false
		}
	}
	return true
}

func with(row, more map[int]int) map[int]int {
	longer := map[int]int{}
	for _, m := range []map[int]int{row, more} {
		for i, v := range m {
			longer[i] = v
		}
	}
	return longer
}

// read turns a row's variables back into numbers.
func read(t *rapid.T, vars map[string]any) map[int]int {
	row := map[int]int{}
	for name, v := range vars {
		if o, ok := v.(object); ok {
			v = o["v"]
		}
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil {
			t.Fatalf("variable %s is %v", name, v)
		}
		row[int(name[0]-'a')] = n
	}
	return row
}

func TestMatrixLaws(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := draw(r)
		j, data := d.job(t)
		want := d.expected()
		p, err := Build(j, data)
		if len(want) == 0 {
			if err == nil {
				r.Fatal("a matrix without rows was built")
			}
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		if p.Total != int64(len(want)) {
			r.Fatalf("Total = %d, want %d", p.Total, len(want))
		}
		for pass := range 2 {
			var got []map[int]int
			for row, err := range p.Rows {
				if err != nil || row.Number != int64(len(got)) || row.ID != strconv.Itoa(len(got)) {
					r.Fatalf("row %d: %v, %v", len(got), row, err)
				}
				got = append(got, read(r, row.Vars))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				r.Fatalf("pass %d: rows\n%v\nwant\n%v", pass, got, want)
			}
		}
		d.checkEffects(r, p)
	})
}

// checkEffects counts by the rule what each entry does.
func (d drawn) checkEffects(r *rapid.T, p *Plan) {
	product := drawn{sizes: d.sizes}.expected()
	for i, e := range d.exclude {
		n := len(slices.DeleteFunc(slices.Clone(product), func(row map[int]int) bool { return !d.keeps(row, e) }))
		if p.Effects.Excluded[i] != int64(n) {
			r.Fatalf("exclude %v matches %d rows, want %d", e, p.Effects.Excluded[i], n)
		}
	}
	left := drawn{sizes: d.sizes, exclude: d.exclude}.expected()
	if len(d.sizes) == 0 {
		left = nil
	}
	for i, e := range d.include {
		n := len(slices.DeleteFunc(slices.Clone(left), func(row map[int]int) bool { return !d.keeps(row, e) }))
		if p.Effects.Joined[i] != int64(n) {
			r.Fatalf("include %v joins %d rows, want %d", e, p.Effects.Joined[i], n)
		}
	}
}

// Ids that the job gives are unique over all rows that have no error, and every row
// whose id an earlier one has is an error that names that one.
func TestIDsAreUnique(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringMatching(`[ab]{0,2}`), 1, 12).Draw(r, "ids")
		a := specs.Axis{Name: specs.String{Value: "id"}}
		for _, text := range texts {
			a.List = append(a.List, text)
		}
		j := job(t, "x", a)
		j.RowID = tmpl(t, "{{ .id }}")
		for row, err := range build(t, j, nil).Rows {
			text := texts[row.Number]
			ok := text != "" && slices.Index(texts, text) == int(row.Number)
			if ok != (err == nil) {
				r.Fatalf("row %d of %q: %v", row.Number, texts, err)
			}
		}
	})
}
