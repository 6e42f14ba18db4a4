package specs

import (
	"fmt"
	"slices"

	"github.com/batchrunner/runner/schema"
	"gopkg.in/yaml.v3"
)

// unknownKey reports a key and returns the one that was probably meant.
func (s *shaper) unknownKey(key *yaml.Node, shape *schema.Shape) string {
	names := shape.Names()
	meant := Nearest(key.Value, names)
	if other := otherNames[key.Value]; slices.Contains(names, other) {
		meant = other
	}
	help := ""
	switch home := s.home(key.Value, shape); {
	case meant != "":
		help = fmt.Sprintf("did you mean %q?", meant)
	case home != "":
		help = home
	case shape.Name == "options" && slices.Contains(dropped, key.Value):
		help = "Ollama dropped this option; remove it"
	case shape.Name == "options":
		help = "an option that only a newer Ollama knows goes under extra_options; the others " + list(names, plainName)
	default:
		help = "the keys here " + list(names, plainName)
	}
	s.report(posOf(key), s.step, fmt.Sprintf("unknown key %q", shorten(key.Value)), help)
	s.meant[key] = meant
	return meant
}

// otherNames are what other tools call the keys of a job file and Ollama's options.
var otherNames = map[string]string{
	"max_tokens": "num_predict", "max_new_tokens": "num_predict", "max_output_tokens": "num_predict", "n_predict": "num_predict",
	"context": "num_ctx", "context_length": "num_ctx", "ctx": "num_ctx", "n_ctx": "num_ctx", "temp": "temperature",
	"threads": "num_thread", "stop_sequences": "stop", "gpu_layers": "num_gpu", "n_gpu_layers": "num_gpu",
	"variables": "vars", "constants": "vars", "parameters": "options", "params": "options", "template": "prompt", "user": "prompt",
	"system_prompt": "system", "max_concurrent": "concurrency", "parallel": "concurrency", "workers": "concurrency", "rate_limit": "rate",
	"retries": "retry", "tasks": "steps", "name": "id", "depends_on": "needs", "path": "file", "delimiter": "separator", "axes": "matrix",
	"response_format": "format", "schema": "format", "reasoning": "think", "thinking": "think",
}

// dropped are options that Ollama had once (api.Options before v0.17).
var dropped = []string{
	"mirostat", "mirostat_eta", "mirostat_tau", "tfs_z", "penalize_newline", "low_vram", "f16_kv",
	"numa", "vocab_only", "use_mlock", "logits_all", "embedding_only", "num_gqa", "rope_frequency_base", "rope_frequency_scale",
}

// home says under which key an unknown one belongs, empty where nobody knows it.
func (s *shaper) home(name string, here *schema.Shape) string {
	top := schema.JobShape()
	for _, parent := range []string{"options", "retry", "timeout"} {
		shape := top.Key(parent)
		if here.Key(parent) == nil || shape.Key(name) == nil {
			continue
		}
		return fmt.Sprintf("it belongs under %q: %s: {%s: ...}", parent, parent, name)
	}
	if here != top && slices.Contains(top.Names(), name) {
		return "it belongs at the top of the job"
	}
	if steps := top.Key("steps").Items; here != steps && slices.Contains(steps.Names(), name) {
		return "it belongs in a step"
	}
	if outputs := top.Key("outputs").Items; here != outputs && slices.Contains(outputs.Names(), name) {
		return fmt.Sprintf("it belongs in an output: outputs: [{file: PATH, %s: ...}]", name)
	}
	return ""
}
