package specs

import (
	"fmt"
	"slices"
)

// loadOptions are those whose change makes the server load the model anew
// (server/sched.go, needsReload, in Ollama v0.17.7).
var loadOptions = []string{"num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread"}

// checkLoadOptions warns of two steps that load one model with different options:
// the server then loads it anew whenever it turns from one step to the other.
func checkLoadOptions(d *draft) {
	for i := range d.job.Steps {
		for j := range i {
			d.compareLoads(&d.job.Steps[j], &d.job.Steps[i])
		}
	}
}

func (d *draft) compareLoads(a, b *Step) {
	if a.Model == nil || b.Model == nil || a.Model.Text() != b.Model.Text() {
		return
	}
	for _, name := range loadOptions {
		one, other := loadOption(a, name), loadOption(b, name)
		if one == other {
			continue
		}
		at := b.Pos
		if i := slices.IndexFunc(b.Options, func(o Option) bool { return o.Name.Value == name }); i >= 0 {
			at = b.Options[i].Name.Pos
		}
		d.warn(at, b.ID.Value, fmt.Sprintf("%q is %s here and %s in step %q, and both use the model %s, which is loaded anew at each change", name, other, one, a.ID.Value, a.Model.Text()), "give both steps the same")
		return
	}
}

// loadOption shows an option's value for comparing.
func loadOption(s *Step, name string) string {
	for _, o := range s.Options {
		switch {
		case o.Name.Value != name:
		case o.Template != nil:
			return o.Template.Text()
		default:
			return fmt.Sprint(o.Value)
		}
	}
	return "not set"
}
