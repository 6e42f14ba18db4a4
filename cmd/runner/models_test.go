package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/batchrunner/runner/runner/simulate"
)

const twoModels = `model: "{{ .m }}"
prompt: "Say hello"
matrix: {m: [gemma3:4b, qwen3:8b, "llama3.2:3b"]}
output: answers.jsonl
`

// command runs the command in this process.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, nil, &out, &errs)
	return out.String(), errs.String(), code
}

// TestMissingModels names all models that are not there in one message, goes on
// without them, or fetches them.
func TestMissingModels(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", twoModels)
	_, address := serve(t, simulate.Config{Models: []simulate.Model{{Name: "gemma3:4b"}}})

	_, stderr, code := command(t, "apply", "job.yaml", "--host", address)
	if code != exitServer || !strings.Contains(stderr, "2 models are not on") ||
		!strings.Contains(stderr, "ollama pull llama3.2:3b") || !strings.Contains(stderr, "ollama pull qwen3:8b") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}

	_, stderr, code = command(t, "apply", "job.yaml", "--host", address, "--skip-missing")
	if code != exitFailedRows || !strings.Contains(stderr, "1 of 3 ok, 2 failed (2 model_missing)") {
		t.Errorf("--skip-missing: exit code %d\n%s", code, stderr)
	}

	_, stderr, code = command(t, "plan", "job.yaml", "--host", address) // now there is a store
	if code != exitServer || !strings.Contains(stderr, "pull llama3.2:3b") || !strings.Contains(stderr, "pull qwen3:8b") {
		t.Errorf("plan: exit code %d\n%s", code, stderr)
	}

	stdout, _, code := command(t, "models", "job.yaml", "--host", address)
	if code != exitServer || strings.Count(stdout, "missing") != 2 || !strings.Contains(stdout, "gemma3:4b") {
		t.Errorf("models: exit code %d\n%s", code, stdout)
	}

	writeFile(t, "cloud.yaml", "model: \"{{ .m }}\"\nprompt: Hi\nmatrix: {m: [\"qwen3:8b\", \"gpt-oss:120b-cloud\"]}\n")
	_, stderr, code = command(t, "apply", "cloud.yaml", "--host", address, "--pull")
	if code != exitServer || strings.Contains(stderr, "fetching") || !strings.Contains(stderr, "--allow-cloud") {
		t.Errorf("--pull of a job that is refused: exit code %d\n%s", code, stderr)
	}

	_, stderr, code = command(t, "apply", "job.yaml", "--host", address, "--pull")
	if code != 0 || !strings.Contains(stderr, "fetching qwen3:8b") || !strings.Contains(stderr, "3 of 3 ok") {
		t.Errorf("--pull: exit code %d\n%s", code, stderr)
	}
	stdout, _, code = command(t, "models", "job.yaml", "--host", address)
	if code != 0 || strings.Contains(stdout, "missing") {
		t.Errorf("models after --pull: exit code %d\n%s", code, stdout)
	}
}

// TestCloudModels are refused unless the command line allows them: prompts would
// leave the machine.
func TestCloudModels(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: gpt-oss:120b-cloud\nprompt: hello\noutput: answers.jsonl\n")
	server, address := serve(t, simulate.Config{AnyModel: true})
	server.Add("gpt-oss:120b-cloud")
	_, stderr, code := command(t, "apply", "job.yaml", "--host", address)
	if code != exitServer || !strings.Contains(stderr, "--allow-cloud") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if asked := server.History().Asked; asked != 0 {
		t.Errorf("%d prompts were sent", asked)
	}
	if _, stderr, code = command(t, "apply", "job.yaml", "--host", address, "--allow-cloud"); code != 0 {
		t.Errorf("--allow-cloud: exit code %d\n%s", code, stderr)
	}
}

// TestModelOfTheEnvironment is asked where a job names none.
func TestModelOfTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "prompt: hello\n")
	t.Setenv("RUNNER_MODEL", "gemma3:4b")
	stdout, stderr, code := command(t, "plan", "job.yaml", "--prompts")
	if code != 0 || !strings.Contains(stdout, `"model":"gemma3:4b"`) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	stdout, _, _ = command(t, "plan", "job.yaml", "--prompts", "-m", "qwen3:8b")
	if !strings.Contains(stdout, `"model":"qwen3:8b"`) {
		t.Errorf("-m: %s", stdout)
	}
	t.Setenv("RUNNER_MODEL", "")
	_, address := serve(t, simulate.Config{Models: []simulate.Model{{Name: "gemma3:4b"}, {Name: "qwen3:8b"}}})
	_, stderr, code = command(t, "apply", "job.yaml", "--host", address)
	if code != exitMistake || !strings.Contains(stderr, "names no model; choose one with -m: gemma3:4b, qwen3:8b") {
		t.Errorf("no model: exit code %d\n%s", code, stderr)
	}
}

// TestAnyModelOfASimulatedServer is there without being in its list.
func TestAnyModelOfASimulatedServer(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.yaml", "model: my-own:1b\nprompt: hello\n")
	_, address := serve(t, simulate.Config{})
	if _, stderr, code := command(t, "apply", "job.yaml", "--host", address); code != 0 {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// TestSameRecordsOfFailedRows holds that a failed row's record has nothing of one run.
func TestSameRecordsOfFailedRows(t *testing.T) {
	var runs []string
	for range 2 {
		t.Chdir(t.TempDir())
		writeFile(t, "job.yaml", twoModels)
		_, _, code := command(t, "apply", "job.yaml", "--simulate", "--fault", "invalid match=hello")
		if code != exitFailedRows {
			t.Fatalf("exit code %d", code)
		}
		runs = append(runs, readFile(t, ".runner/simulated/answers.jsonl"))
	}
	if runs[0] != runs[1] || !strings.Contains(runs[0], "the simulated server") {
		t.Errorf("records differ, or name an address:\n%s%s", runs[0], runs[1])
	}
}

// TestSimulateRefusesNonsense: a server with such numbers would be another one than was
// asked for.
func TestSimulateRefusesNonsense(t *testing.T) {
	for _, flag := range []string{
		"--slots=0", "--loaded=-1", "--queue=0", "--context=-5", "--load=-1s", "--first-token=-1ms", "--per-token=-1ms",
		"--spread=-1", "--spread=NaN", "--speed=-1", "--speed=Inf", "--address=nonsense", "--address=localhost:",
	} {
		_, stderr, code := command(t, "simulate", flag)
		if name, _, _ := strings.Cut(flag, "="); code != exitMistake || !strings.Contains(stderr, name) {
			t.Errorf("%s: exit code %d\n%s", flag, code, stderr)
		}
	}
}
