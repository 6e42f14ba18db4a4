package specs

import (
	"fmt"
	"slices"
)

// checkThresholds holds the names of thresholds against the figures that a report
// has, the outputs' columns and the steps.
func checkThresholds(d *draft) {
	known := d.figures()
	for _, t := range d.job.Thresholds {
		if t.Step != "" && d.stepIndex(t.Step) < 0 && !d.stepsUnsure() {
			d.report(t.Pos, "", fmt.Sprintf("the threshold %q is about %q, which is no step", t.Step+"."+t.Figure, t.Step), didYouMean(t.Step, "the steps", d.stepIDs(), quote))
			continue
		}
		if !slices.Contains(known, t.Figure) {
			d.report(t.Pos, "", fmt.Sprintf("the threshold %q is about no figure of a report and no column of an output", t.Figure), didYouMean(t.Figure, "figures", known, quote))
		}
	}
}

// checkReportPaths holds that reports stay inside the root, and that none takes the
// place of another one, of an output or of a file that the job reads.
func checkReportPaths(d *draft) {
	first := map[string]named{}
	for _, o := range d.job.Outputs {
		if o.File != nil && o.File.Constant() {
			first[caseless(d.inside(o.File.Text()))] = named{o.File.Text(), o.File.Start}
		}
	}
	for _, r := range d.job.Reports {
		name := r.File.Value
		if message, help := d.misplaced(name, true); message != "" {
			d.report(r.File.Pos, "", fmt.Sprintf("the report %q %s", name, message), help)
			continue
		}
		d.checkInputs("the report", name, r.File.Pos)
		if at, ok := first[caseless(d.inside(name))]; ok {
			d.report(r.File.Pos, "", fmt.Sprintf("the report %q is named at %s too", name, d.place(at.pos)), "give each file a name of its own")
			continue
		}
		first[caseless(d.inside(name))] = named{name, r.File.Pos}
	}
}
