package report

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

func writeCSV(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCSV(t *testing.T) { checkGolden(t, "report.csv.want", writeCSV(t, fixture())) }

// Every figure of a report is in its CSV, under its JSON name.
func TestCSVHasAllFigures(t *testing.T) {
	lines, err := csv.NewReader(strings.NewReader(writeCSV(t, fixture()))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 7 {
		t.Errorf("%d lines for 6 groups", len(lines))
	}
	head := strings.Join(lines[0], " ")
	for _, s := range groupStats() {
		if !strings.Contains(head, " "+s.name+"_n "+s.name+"_mean "+s.name+"_median ") {
			t.Errorf("no %s", s.name)
		}
	}
	cell := func(line int, name string) string {
		for i, h := range lines[0] {
			if h == name {
				return lines[line][i]
			}
		}
		t.Fatalf("no column %s", name)
		return ""
	}
	for name, want := range map[string]string{
		"model": fast, "concurrency": "1", "rate": "", "latency_n": "20", "latency_median": "0.82", "schedule_latency_mean": "",
		"quality_score": "4.2", "quality_pass_rate_n": "20", "cold": "1", "load_low": "", "load_median": "2.1",
	} {
		if got := cell(1, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := cell(4, "doubtful"); got != "ttft latency" {
		t.Error(got)
	}
}

// No cell is carried out by a spreadsheet.
func TestCSVIsHarmless(t *testing.T) {
	r := fixture()
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\ufeff=1", "＝1", "\x00=1", "\n-1"} {
		r.Groups = append(r.Groups, Group{Model: s, Step: s, Error: s, Doubtful: []string{s}})
	}
	lines, err := csv.NewReader(strings.NewReader(writeCSV(t, r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[7:] {
		for _, cell := range line {
			if cell != "" && strings.ContainsAny(strings.TrimLeft(cell, " \ufeff")[:1], "=+-@\t\r\n") {
				t.Errorf("%q in %q", cell, line)
			}
		}
	}
}

func FuzzCSVText(f *testing.F) {
	for _, s := range append(hostile, "=1", " +1", "\u200b-1", "\x1b[0m=1", "a,b\"c\nd", "'=1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := &Report{Run: Run{Job: s}, Groups: []Group{{Model: s, Error: s}}}
		lines, err := csv.NewReader(strings.NewReader(writeCSV(t, r))).ReadAll()
		if err != nil || len(lines) != 2 || len(lines[0]) != len(lines[1]) {
			t.Fatalf("%q makes %d lines: %v", s, len(lines), err)
		}
		if got := lines[1][4]; got != "" && strings.ContainsAny(got[:1], "=+-@\t\r") {
			t.Errorf("%q becomes the cell %q", s, got)
		}
	})
}
