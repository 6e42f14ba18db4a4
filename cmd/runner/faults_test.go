package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/simulate"
)

// A trouble is one kind of fault of the simulated server, and what becomes of a row
// that meets it at every attempt.
type trouble struct {
	fault string       // kind and what it needs
	class runner.Class // of the row; empty: the row is ok all the same
}

// troubles are the kinds that strike one row: every line of the table of failures
// that Ollama's own client reports as success, and the others that a server shows.
var troubles = []trouble{
	{"reset after=1", runner.Disconnected},
	{"cut after=1", runner.Disconnected},
	{"drop", runner.Disconnected},
	{"drop-reset", runner.Disconnected},
	{"hang", runner.Timeout},
	{"stall after=1", runner.Timeout},
	{"slow for=1ms", ""},
	{"reset after=5", runner.Disconnected},
	{"no-done after=1", runner.Incomplete},
	{"repeat", runner.Repeat},
	{"crash after=1", runner.Crashed},
	{"garbled after=1", runner.Protocol},
	{"bad-gateway", runner.Server},
	{"html-gateway", runner.Protocol},
	{"empty-body", runner.Incomplete},
	{"foreign-json", runner.Protocol},
	{"html", runner.Protocol},
	{"redirect", runner.Redirected},
	{"error", runner.Server},
	{"load-timeout", runner.Server},
	{"stopped", runner.Crashed},
	{"terminated", runner.Crashed},
	{"not-running", runner.Crashed},
	{"nan", runner.InvalidRequest},
	{"overflow", runner.ContextOverflow},
	{"invalid", runner.InvalidRequest},
	{"loop", runner.Cut},
	{"empty", runner.Empty},
	{"thinking-only", runner.ThinkingOnly},
	{"load-reply", runner.Empty},
}

// modelTroubles end a model's rows or the run: each is met by a run of its own.
var modelTroubles = []trouble{
	{"memory", runner.DoesNotFit},
	{"layout", runner.DoesNotFit},
	{"resources", runner.DoesNotFit},
	{"cuda", runner.DoesNotFit},
	{"missing", runner.ModelMissing},
	{"pull-first", runner.ModelMissing},
	{"capability", runner.Capability},
}

// waits are the kinds that a run waits out.
var waits = []string{"busy times=1", "rate-limit times=1 for=20ms", "rate-limit-date times=1 for=1s", "long-line"}

const faultyJob = `model: gemma3:4b
prompt: "Row {{ printf \"%%04d\" .n }}. Say something about it."
matrix: {n: {count: %d}}
concurrency: 16
timeout: {total: 60s, first_token: %s, idle: 2s}
retry: {attempts: 2, backoff: {initial: 1ms, max: 2ms}}
max_failures: 100%%
output: answers.jsonl
`

// faultyRun applies a job of some rows to a simulated server with faults, and
// returns its records, its messages and the exit code.
func faultyRun(t *testing.T, rows int, patience string, faults ...string) (records []map[string]any, stderr string, code int) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("job.yaml", fmt.Appendf(nil, faultyJob, rows, patience), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"apply", "job.yaml", "--simulate", "--quiet"}
	for _, f := range faults {
		args = append(args, "--fault", f)
	}
	var out, errs bytes.Buffer
	code = Main(context.Background(), args, nil, &out, &errs)
	text, err := os.ReadFile(filepath.Join(".runner", "simulated", "answers.jsonl"))
	if err != nil {
		return nil, errs.String(), code
	}
	for line := range strings.Lines(string(text)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		records = append(records, record)
	}
	return records, errs.String(), code
}

// TestCampaign runs 2,000 rows of which 30 in 100 meet a fault: half of these only
// at the first attempt, the others at every one. Every ok record must be the one of
// an undisturbed run, every failed one must have the class of its fault.
func TestCampaign(t *testing.T) {
	const rows = 2000
	want, stderr, code := faultyRun(t, rows, "2s")
	if code != 0 || len(want) != rows {
		t.Fatalf("undisturbed: exit code %d, %d records\n%s", code, len(want), stderr)
	}
	var faults []string
	for i, tr := range troubles {
		// Row numbers end in the trouble's index; the hundreds are even or odd.
		faults = append(faults,
			fmt.Sprintf(`%s times=1 match='^Row \d[02468]%02d\.'`, tr.fault, i),
			fmt.Sprintf(`%s match='^Row \d[13579]%02d\.'`, tr.fault, i))
	}
	got, stderr, code := faultyRun(t, rows, "2s", faults...)
	if code != 0 || len(got) != rows {
		t.Fatalf("with faults: exit code %d, %d records\n%s", code, len(got), stderr)
	}
	var faulty, failed, half int
	for i, record := range got {
		n := i + 1 // of {count: 2000}
		if n%100 < len(troubles) {
			faulty++
		}
		if record["success"] == true {
			if fmt.Sprint(record) != fmt.Sprint(want[i]) {
				half++
				t.Errorf("row %d is ok with another record:\n%v\nundisturbed:\n%v", i, record, want[i])
			}
		} else {
			failed++
		}
		checkTrouble(t, n, record)
	}
	t.Logf("SHOWS: %d rows with a faulty stream, of %d", faulty, rows)
	t.Logf("SHOWS: %d of them failed, each in its class", failed)
	t.Logf("SHOWS: %d half answers kept", half)
}

// checkTrouble holds the outcome of row n (from 1) against the fault it met.
func checkTrouble(t *testing.T, n int, record map[string]any) {
	t.Helper()
	var met trouble
	always := n/100%2 == 1
	if n%100 < len(troubles) {
		met = troubles[n%100]
	}
	overcome := !always && met.class.Treatment() != runner.FailRow
	want := string(met.class)
	if met.fault == "" || overcome {
		want = ""
	}
	if got, _ := record["error_class"].(string); got != want {
		t.Errorf("row %d met %q (always: %v): class %q, want %q: %v", n, met.fault, always, got, want, record["error"])
	}
}

// TestModelTroubles meets the faults that end all rows of a model.
func TestModelTroubles(t *testing.T) {
	for _, tr := range modelTroubles {
		t.Run(tr.fault, func(t *testing.T) {
			records, stderr, code := faultyRun(t, 20, "30s", tr.fault+` match='^Row'`)
			if code != exitServer || len(records) != 20 {
				t.Fatalf("exit code %d, %d records\n%s", code, len(records), stderr)
			}
			for i, record := range records {
				if record["error_class"] != string(tr.class) {
					t.Errorf("row %d: class %v, want %s: %v", i, record["error_class"], tr.class, record["error"])
				}
			}
		})
	}
}

// TestUnauthorized ends the run with exit code 3 and keeps the files as they were.
func TestUnauthorized(t *testing.T) {
	for _, fault := range []string{"unauthorized", "forbidden"} {
		records, stderr, code := faultyRun(t, 20, "30s", fault+` match='^Row'`)
		if code != exitServer || len(records) != 0 {
			t.Errorf("%s: exit code %d, %d records\n%s", fault, code, len(records), stderr)
		}
	}
}

// TestWaits overcomes servers that ask to be left alone, without using up attempts.
func TestWaits(t *testing.T) {
	for _, fault := range waits {
		t.Run(fault, func(t *testing.T) {
			records, stderr, code := faultyRun(t, 4, "30s", fault+` match='^Row 0002'`)
			if code != 0 || len(records) != 4 {
				t.Fatalf("exit code %d, %d records\n%s", code, len(records), stderr)
			}
			for i, record := range records {
				if record["success"] != true {
					t.Errorf("row %d: %v", i, record["error"])
				}
			}
		})
	}
}

// TestHugeLine meets a line past the size limit, which takes its time to send.
func TestHugeLine(t *testing.T) {
	records, stderr, code := faultyRun(t, 2, "60s", `huge-line match='^Row 0001'`)
	if code != 0 || len(records) != 2 {
		t.Fatalf("exit code %d, %d records\n%s", code, len(records), stderr)
	}
	if records[0]["error_class"] != string(runner.TooLarge) || records[1]["success"] != true {
		t.Errorf("records: %v", records)
	}
}

// TestAllKindsAreMet keeps the lists above complete.
func TestAllKindsAreMet(t *testing.T) {
	met := []string{
		"down",                      // TestServerComesBack
		"huge-line",                 // TestHugeLine
		"unauthorized", "forbidden", // TestUnauthorized
		"invalid-json", "off-schema", "format-ignored", // TestSchemaTroubles
		"cut-prompt", // package ollama: a server that ignores truncate
		"garbage",    // TestGarbage
	}
	for _, tr := range slices.Concat(troubles, modelTroubles) {
		met = append(met, strings.Fields(tr.fault)[0])
	}
	for _, fault := range waits {
		met = append(met, strings.Fields(fault)[0])
	}
	for _, kind := range simulate.Kinds() {
		if !slices.Contains(met, kind.Name) {
			t.Errorf("no test here meets the fault %q", kind.Name)
		}
	}
}

// TestSchemaTroubles holds answers against the format that was asked for.
func TestSchemaTroubles(t *testing.T) {
	const job = `model: gemma3:4b
prompt: "Rate {{ .thing }}"
matrix: {thing: [alpha, beta, gamma, delta]}
format: {type: object, required: [score], additionalProperties: false, properties: {score: {type: integer}}}
output: scores.jsonl
`
	t.Chdir(t.TempDir())
	if err := os.WriteFile("job.yaml", []byte(job), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Main(context.Background(), []string{"apply", "job.yaml", "--simulate", "--fault", "invalid-json match=alpha",
		"--fault", "off-schema match=beta", "--fault", "format-ignored match=gamma"}, nil, &out, &errs)
	if code != exitFailedRows || !strings.Contains(errs.String(), "1 of 4 ok, 3 failed (3 schema)") {
		t.Errorf("exit code %d\n%s", code, &errs)
	}
}

// TestGarbage keeps an answer that is no text, with a warning.
func TestGarbage(t *testing.T) {
	records, stderr, code := faultyRun(t, 2, "30s", `garbage match='^Row 0001'`)
	if code != 0 || len(records) != 2 {
		t.Fatalf("exit code %d, %d records\n%s", code, len(records), stderr)
	}
	if fmt.Sprint(records[0]["warnings"]) != `[the answer ends with "G" over and over]` || records[1]["warnings"] != nil {
		t.Errorf("warnings: %v, %v", records[0]["warnings"], records[1]["warnings"])
	}
}

// TestServerComesBack drops all connections for a while: the run waits, and ends well.
func TestServerComesBack(t *testing.T) {
	records, stderr, code := faultyRun(t, 40, "30s", `down for=200ms times=1 match='^Row 0020\.'`)
	if code != 0 || len(records) != 40 {
		t.Fatalf("exit code %d, %d records\n%s", code, len(records), stderr)
	}
	for i, record := range records {
		if record["success"] != true {
			t.Errorf("row %d: %v", i, record["error"])
		}
	}
}
