package specs

import "fmt"

// checkUnusedAxes warns of axes that no template uses: their rows ask the same
// question again. A repetition (count) is meant so.
func checkUnusedAxes(d *draft) {
	if len(d.diags.Errors()) > 0 {
		return // a misspelt name may be what hides the use
	}
	for _, axis := range d.job.Axes {
		if axis.Count > 0 || d.scope.reads(axis.Name.Value) {
			continue
		}
		d.warn(axis.Name.Pos, "", fmt.Sprintf("no template uses the axis %q, so its rows ask the same question again", axis.Name.Value), fmt.Sprintf("use it as {{ .%s }}, or remove it", axis.Name.Value))
	}
}
