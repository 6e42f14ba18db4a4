package specs

import "fmt"

// checkFlags holds what the command line says of models against the job's steps.
func checkFlags(d *draft) {
	for _, id := range sortedKeys(d.opts.StepModels) {
		if d.stepIndex(id) >= 0 || d.stepsUnsure() {
			continue
		}
		help := didYouMean(id, "the steps", d.stepIDs(), quote)
		d.report(Pos{}, "", fmt.Sprintf("-m %s=%s: the job has no step of this id", id, d.opts.StepModels[id]), help)
	}
	if d.opts.Model == "" || d.single || len(d.steps) == 0 {
		return
	}
	for i, f := range d.steps {
		if f.Model == nil && d.opts.StepModels[d.job.Steps[i].ID.Value] == "" {
			return
		}
	}
	d.warn(Pos{}, "", fmt.Sprintf("-m %s changes nothing, since every step has a model of its own", d.opts.Model), "name the step: -m STEP="+d.opts.Model)
}
