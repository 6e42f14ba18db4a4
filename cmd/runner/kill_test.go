package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/runner/simulate"
)

// soaked is n in the long campaigns (make soak), else a tenth of it; under the race
// detector, which looks at the code and not at the odds, a fiftieth.
func soaked(n int) int {
	switch {
	case os.Getenv("RUNNER_SOAK") == "full":
		return n
	case raced:
		return n / 50
	}
	return n / 10
}

// seeded is a source of random numbers whose seed is printed; RUNNER_SEED sets it.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("RUNNER_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("RUNNER_SEED %q is no number", text)
		}
		seed = n
	}
	t.Logf("RUNNER_SEED=%d repeats it", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// killJob writes files of all forms, asks two questions a row, and some twice.
const killJob = `model: gemma3:4b
matrix:
  n: {count: 30}
  tone: [kind, terse]
steps:
  - {id: draft, prompt: "draft {{ .n }}-{{ .tone }}: say it"}
  - {id: check, prompt: "check {{ .n }}-{{ .tone }}: is this well said? {{ .steps.draft.response }}"}
retry: {attempts: 5, backoff: {initial: 1ms, max: 5ms}}
row_id: "{{ .n }}-{{ .tone }}"
outputs:
  - file: all.jsonl
  - {file: "out/{{ .tone }}.json"}
  - {file: "out/{{ .tone }}.csv"}
  - {file: all.tsv}
  - {file: "out/{{ .tone }}.md", template: "- {{ .n }}: {{ .response }}\n"}
  - {file: catalogue.json, key: "{{ .row.id }}", value: "{{ .response }}"}
`

// asked finds which task a prompt of killJob is: "draft 7-kind".
var asked = regexp.MustCompile(`(draft|check) (\d+-(?:kind|terse)):`)

// quick is how long an answer takes where that does not matter.
const quick = 2 * time.Millisecond

// A campaign is a folder with a job whose runs are killed, and its server.
type campaign struct {
	dir    string
	server *simulate.Server
	args   []string
	runs   int
	done   map[string]bool // tasks that were reported done, "draft 7-kind"
	before int             // requests that had ended when the last run was started
}

func newCampaign(t *testing.T, job string, concurrency int, answer time.Duration) *campaign {
	t.Helper()
	server, address := serve(t, simulate.Config{
		Parallel: 16, Timing: simulate.Timing{Service: answer}, Models: []simulate.Model{{Name: "gemma3:4b"}},
	})
	c := &campaign{dir: t.TempDir(), server: server, done: map[string]bool{}}
	c.args = []string{"apply", "job.yaml", "--host", address, "--concurrency", strconv.Itoa(concurrency)}
	if err := os.WriteFile(filepath.Join(c.dir, "job.yaml"), []byte(job), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// start starts a run as a process of its own.
func (c *campaign) start(t *testing.T, errs io.Writer) *exec.Cmd {
	t.Helper()
	c.runs++
	c.before = len(c.server.History().Requests)
	cmd := runnerCommand(t, append(c.args, "--events", c.events())...)
	cmd.Dir, cmd.Stderr = c.dir, errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func (c *campaign) events() string {
	return filepath.Join(c.dir, fmt.Sprintf("events-%d.ndjson", c.runs))
}

// check looks at what the last run asked that earlier ones had reported done, and adds
// what it has reported done itself.
func (c *campaign) check(t *testing.T) (again int) {
	t.Helper()
	for _, r := range c.server.History().Requests[c.before:] {
		if m := asked.FindStringSubmatch(r.Prompt); len(m) == 3 && c.done[m[1]+" "+m[2]] {
			t.Errorf("run %d: %s %s was reported done and is asked again", c.runs, m[1], m[2])
			again++
		}
	}
	file, err := os.Open(c.events())
	if errors.Is(err, os.ErrNotExist) {
		return again // killed before it began
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e runner.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Kind == runner.TaskDone && e.OK {
			c.done[e.Step+" "+e.ID] = true
		}
	}
	return again
}

// outputs are the files that the job has written.
func (c *campaign) outputs(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	readTree(t, c.dir, files)
	for name := range files {
		if strings.HasPrefix(name, "events-") || name == "job.yaml" {
			delete(files, name)
		}
	}
	return files
}

// finish runs the job to its end.
func (c *campaign) finish(t *testing.T) {
	t.Helper()
	var errs bytes.Buffer
	if err := c.start(t, &errs).Wait(); err != nil {
		t.Fatalf("run %d: %v\n%s", c.runs, err, &errs)
	}
}

// undisturbed are the files and the duration of a run that nobody kills.
func undisturbed(t *testing.T, job string) (map[string]string, time.Duration) {
	t.Helper()
	c := newCampaign(t, job, 16, quick)
	began := time.Now()
	c.finish(t)
	return c.outputs(t), time.Since(began)
}

// TestKilledAnywhere kills runs with kill -9 at random times: what was reported done is
// never asked again, and the files end up as those of an undisturbed run.
func TestKilledAnywhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be killed with a signal there")
	}
	random := seeded(t)
	want, whole := undisturbed(t, killJob)
	if len(want) != 9 {
		t.Fatalf("%d files, want 9", len(want))
	}
	kills, again, acknowledged := 0, 0, 0
	for round := 0; kills < soaked(200); round++ {
		concurrency := []int{1, 16}[round%2]
		span := min(int64(whole)*[]int64{20, 2}[round%2], int64(2*time.Second)) // one at a time takes longer
		c := newCampaign(t, killJob, concurrency, quick)
		for range 1 + random.IntN(4) {
			cmd := c.start(t, nil)
			time.Sleep(time.Duration(random.Int64N(span)))
			if err := cmd.Process.Kill(); err == nil {
				kills++
			}
			_ = cmd.Wait() // killed
			again += c.check(t)
		}
		acknowledged += len(c.done)
		c.finish(t)
		again += c.check(t)
		if diff := cmp.Diff(want, c.outputs(t)); diff != "" {
			t.Fatalf("%d at a time: the files differ (-undisturbed +after %d runs):\n%s", concurrency, c.runs, diff)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("SHOWS: %d runs killed, %d results reported done before, %d asked again", kills, acknowledged, again)
}

// TestInterruptedAnywhere sends one SIGINT at random times, and a second one to some: all
// that was answered is durable, and the run ends within the grace.
func TestInterruptedAnywhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent Ctrl-C there")
	}
	random := seeded(t)
	want, whole := undisturbed(t, killJob)
	for round := range soaked(100) {
		c := newCampaign(t, killJob, []int{1, 16}[round%2], quick)
		var errs bytes.Buffer
		cmd := c.start(t, &errs)
		awaitFile(t, c.events()) // from here on signals are heard
		time.Sleep(time.Duration(random.Int64N(min(int64(whole)*[]int64{20, 2}[round%2], int64(2*time.Second)))))
		twice := random.IntN(2) == 0
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		if twice {
			time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		_ = cmd.Wait()                                         // its exit code tells
		late := strings.Contains(errs.String(), "60 of 60 ok") // nobody listens to signals any more
		if code := cmd.ProcessState.ExitCode(); code != exitInterrupted && code != exitOK && (code != -1 || !twice && !late) {
			t.Errorf("exit code %d\n%s", code, &errs)
		}
		c.check(t)
		c.finish(t)
		c.check(t)
		if diff := cmp.Diff(want, c.outputs(t)); diff != "" {
			t.Fatalf("the files differ (-undisturbed +after an interrupt):\n%s", diff)
		}
	}
	t.Logf("SHOWS: %d runs interrupted, and gone on with", soaked(100))
}

func awaitFile(t *testing.T, name string) {
	t.Helper()
	awaitText(t, name, "run_started")
}

// TestOneRunOfAJob starts eight runs of one job at once: one works, the others end with
// exit code 4 and say who does. Eight jobs of one store all work.
func TestOneRunOfAJob(t *testing.T) {
	job := strings.Replace(killJob, "{count: 30}", "{count: 3}", 1)
	for range soaked(100) {
		c := newCampaign(t, job, 4, 200*time.Millisecond) // longer than eight take to begin
		codes, texts := eight(t, c, func(int) []string { return c.args })
		worked := 0
		for i, code := range codes {
			switch {
			case code == exitOK:
				worked++
			case code != exitHeld || !strings.Contains(texts[i], "another run of this job is under way"):
				t.Errorf("exit code %d\n%s", code, texts[i])
			}
		}
		if worked != 1 {
			t.Errorf("%d of eight runs have worked, want 1", worked)
		}
		if most := c.server.History().MaxFlight; most > 4 {
			t.Errorf("%d requests at once: two runs worked at the same time", most)
		}
	}
	for range soaked(100) {
		c := newCampaign(t, job, 4, quick)
		for i := range 8 {
			text := "name: job" + strconv.Itoa(i) + "\n" + strings.NewReplacer("file: \"out", fmt.Sprintf("file: \"out%d", i), "file: ", "file: ").Replace(job)
			text = strings.NewReplacer("all.jsonl", fmt.Sprintf("all%d.jsonl", i), "all.tsv", fmt.Sprintf("all%d.tsv", i), "catalogue", fmt.Sprintf("catalogue%d", i)).Replace(text)
			if err := os.WriteFile(filepath.Join(c.dir, fmt.Sprintf("job%d.yaml", i)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		codes, texts := eight(t, c, func(i int) []string {
			args := append([]string{}, c.args...)
			args[1] = fmt.Sprintf("job%d.yaml", i)
			return args
		})
		for i, code := range codes {
			if code != exitOK {
				t.Errorf("job %d: exit code %d\n%s", i, code, texts[i])
			}
		}
	}
	t.Logf("SHOWS: %d times eight runs at once, of one job and of eight", soaked(100))
}

// eight runs eight processes at once.
func eight(t *testing.T, c *campaign, args func(int) []string) (codes [8]int, texts [8]string) {
	t.Helper()
	var wait sync.WaitGroup
	for i := range 8 {
		cmd := runnerCommand(t, args(i)...)
		var errs bytes.Buffer
		cmd.Dir, cmd.Stderr = c.dir, &errs
		wait.Go(func() {
			_ = cmd.Run() // its exit code tells
			codes[i], texts[i] = cmd.ProcessState.ExitCode(), errs.String()
		})
	}
	wait.Wait()
	return codes, texts
}
