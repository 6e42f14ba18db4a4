package specs

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// The job file as YAML has it: a node for each key that is there. A key's name is
// in its tag, and a test holds the tags against the job schema.

type jobFile struct {
	Version     *yaml.Node `key:"version"`
	Name        *yaml.Node `key:"name"`
	Vars        *yaml.Node `key:"vars"`
	Matrix      *yaml.Node `key:"matrix"`
	RowID       *yaml.Node `key:"row_id"`
	Concurrency *yaml.Node `key:"concurrency"`
	Rate        *yaml.Node `key:"rate"`
	MaxFailures *yaml.Node `key:"max_failures"`
	Steps       *yaml.Node `key:"steps"`
	Outputs     *yaml.Node `key:"outputs"`
	Output      *yaml.Node `key:"output"`
	Bench       *yaml.Node `key:"bench"`
	Thresholds  *yaml.Node `key:"thresholds"`
	Reports     *yaml.Node `key:"reports"`
	Report      *yaml.Node `key:"report"`
	askFile
}

// askFile is what a step says of its question; at the top of the job it is what
// steps inherit, or the only step's.
type askFile struct {
	Model        *yaml.Node `key:"model"`
	Prompt       *yaml.Node `key:"prompt"`
	Messages     *yaml.Node `key:"messages"`
	System       *yaml.Node `key:"system"`
	Options      *yaml.Node `key:"options"`
	ExtraOptions *yaml.Node `key:"extra_options"`
	Format       *yaml.Node `key:"format"`
	Think        *yaml.Node `key:"think"`
	KeepAlive    *yaml.Node `key:"keep_alive"`
	Timeout      *yaml.Node `key:"timeout"`
	Retry        *yaml.Node `key:"retry"`
}

type stepFile struct {
	ID          *yaml.Node `key:"id"`
	Needs       *yaml.Node `key:"needs"`
	Concurrency *yaml.Node `key:"concurrency"`
	Rate        *yaml.Node `key:"rate"`
	askFile
	node *yaml.Node
}

type matrixFile struct {
	Include *yaml.Node `key:"include"`
	Exclude *yaml.Node `key:"exclude"`
}

type axisFile struct {
	File      *yaml.Node `key:"file"`
	Separator *yaml.Node `key:"separator"`
	Glob      *yaml.Node `key:"glob"`
	Count     *yaml.Node `key:"count"`
}

// fileFile is a text that stands in a file of its own: {file: PATH}.
type fileFile struct {
	File *yaml.Node `key:"file"`
}

type messageFile struct {
	Role    *yaml.Node `key:"role"`
	Content *yaml.Node `key:"content"`
}

type timeoutFile struct {
	Total      *yaml.Node `key:"total"`
	Load       *yaml.Node `key:"load"`
	FirstToken *yaml.Node `key:"first_token"`
	Idle       *yaml.Node `key:"idle"`
}

type retryFile struct {
	Attempts *yaml.Node `key:"attempts"`
	Backoff  *yaml.Node `key:"backoff"`
}

type backoffFile struct {
	Initial *yaml.Node `key:"initial"`
	Max     *yaml.Node `key:"max"`
}

type benchFile struct {
	Runs        *yaml.Node `key:"runs"`
	Warmup      *yaml.Node `key:"warmup"`
	Order       *yaml.Node `key:"order"`
	Concurrency *yaml.Node `key:"concurrency"`
	Rate        *yaml.Node `key:"rate"`
	Goodput     *yaml.Node `key:"goodput"`
}

type goodputFile struct {
	TTFT    *yaml.Node `key:"ttft"`
	TPOT    *yaml.Node `key:"tpot"`
	Latency *yaml.Node `key:"latency"`
}

type outputFile struct {
	File     *yaml.Node `key:"file"`
	Template *yaml.Node `key:"template"`
	Header   *yaml.Node `key:"header"`
	Footer   *yaml.Node `key:"footer"`
	Columns  *yaml.Node `key:"columns"`
	Key      *yaml.Node `key:"key"`
	Value    *yaml.Node `key:"value"`
	When     *yaml.Node `key:"when"`
	Safe     *yaml.Node `key:"safe"`
	Timings  *yaml.Node `key:"timings"`
}

// fill sets the fields of into, a pointer to one of the types above, from a
// mapping. Keys with a mistake that was reported already stay nil.
func (d *draft) fill(n *yaml.Node, into any) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	found := map[string]*yaml.Node{}
	for key, value := range pairs(n) {
		if found[key.Value] == nil && !d.wrong[value] && !d.wrong[key] {
			found[key.Value] = value
		}
	}
	fillFields(reflect.ValueOf(into).Elem(), found)
}

func fillFields(v reflect.Value, found map[string]*yaml.Node) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous {
			fillFields(v.Field(i), found)
			continue
		}
		if node := found[field.Tag.Get("key")]; node != nil {
			v.Field(i).Set(reflect.ValueOf(node))
		}
	}
}

// pairs gives a mapping's keys and values.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// has says whether a mapping has a key, be its value right or wrong.
func has(n *yaml.Node, name string) bool {
	for key := range pairs(n) {
		if key.Value == name {
			return true
		}
	}
	return false
}
