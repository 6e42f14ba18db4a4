package simulate

import (
	"fmt"
	"math"
	"slices"
)

// loadOptions are what a model is loaded with. A request with others makes the
// server load it anew.
type loadOptions struct {
	numCtx, numBatch, numGPU, mainGPU, numThread int
	useMMap                                      int8 // -1 where it isn't set
	shift                                        bool
}

// fits says whether a model loaded with o serves a request for want: a negative
// num_gpu takes what is there (server/sched.go, needsReload). Later versions than
// v0.17.7 load anew for another shift too, and so does this server.
func (o loadOptions) fits(want loadOptions) bool {
	if want.numGPU < 0 {
		o.numGPU, want.numGPU = -1, -1
	}
	return o == want
}

// options are those of a request that matter here, with Ollama's defaults.
type options struct {
	load        loadOptions
	numPredict  int
	seed        int64
	temperature float64
	stop        []string
}

func defaultOptions(numCtx int) options {
	return options{
		load:       loadOptions{numCtx: numCtx, numBatch: 512, numGPU: -1, useMMap: -1, shift: true},
		numPredict: -1, seed: -1, temperature: 0.8,
	}
}

// optionKinds are the types of Ollama's options (api.Options). Options it doesn't
// know are ignored.
var optionKinds = map[string]string{
	"num_ctx": "integer", "num_batch": "integer", "num_gpu": "integer", "main_gpu": "integer", "num_thread": "integer",
	"use_mmap": "boolean", "num_keep": "integer", "seed": "integer", "num_predict": "integer", "top_k": "integer",
	"top_p": "float32", "min_p": "float32", "typical_p": "float32", "repeat_last_n": "integer", "temperature": "float32",
	"repeat_penalty": "float32", "presence_penalty": "float32", "frequency_penalty": "float32", "stop": "array",
}

// set takes over the options of a request. Its error is worded as Ollama's; of
// several the first in alphabetical order.
func (o *options) set(given map[string]any) error {
	bad := make([]string, 0, len(given))
	for name, value := range given {
		if value != nil && !o.setOne(name, value) {
			bad = append(bad, name)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	name := slices.Min(bad)
	if _, ok := given[name].([]any); ok && name == "stop" {
		return fmt.Errorf("option %q must be of an array of strings", name)
	}
	return fmt.Errorf("option %q must be of type %s", name, optionKinds[name])
}

func (o *options) setOne(name string, value any) bool {
	switch optionKinds[name] {
	case "integer":
		n, ok := value.(float64)
		if ok {
			o.setInteger(name, int64(n))
		}
		return ok
	case "float32":
		f, ok := value.(float64)
		if ok && name == "temperature" {
			o.temperature = f
		}
		return ok
	case "boolean":
		b, ok := value.(bool)
		o.load.useMMap = 0
		if b {
			o.load.useMMap = 1
		}
		return ok
	case "array":
		return o.setStop(value)
	}
	return true
}

func (o *options) setInteger(name string, n int64) {
	switch name {
	case "num_ctx":
		o.load.numCtx = max(small(n), 4) // as server/sched.go, GetRunner
	case "num_batch":
		o.load.numBatch = small(n)
	case "num_gpu":
		o.load.numGPU = small(n)
	case "main_gpu":
		o.load.mainGPU = small(n)
	case "num_thread":
		o.load.numThread = small(n)
	case "num_predict":
		o.numPredict = small(n)
	case "seed":
		o.seed = n
	}
}

// small keeps a number in a range in which nothing overflows.
func small(n int64) int { return int(min(max(n, -1), math.MaxInt32)) }

func (o *options) setStop(value any) bool {
	list, ok := value.([]any)
	for _, item := range list {
		text, isText := item.(string)
		if !isText {
			return false
		}
		if text != "" {
			o.stop = append(o.stop, text)
		}
	}
	return ok
}

// limit is how many tokens an answer may have: num_predict, ten contexts where it
// sets none (llm/server.go, Completion), and without shift what the context holds.
// A num_predict of 0 is none: the real server's runner takes it so.
func (o *options) limit(prompt int) int {
	most := 10 * o.load.numCtx
	if o.numPredict > 0 {
		most = min(most, o.numPredict)
	}
	if !o.load.shift {
		most = min(most, o.load.numCtx-prompt+1)
	}
	return most
}
