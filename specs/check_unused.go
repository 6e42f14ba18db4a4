package specs

import "fmt"

// checkUnusedAxes warns of axes that no template uses: their rows ask the same
// question again.
func checkUnusedAxes(d *draft) {
	if len(d.diags.Errors()) > 0 {
		return // a misspelt name may be what hides the use
	}
	for _, axis := range d.job.Axes {
		if d.scope.reads(axis.Name.Value) {
			continue
		}
		d.warn(axis.Name.Pos, "", fmt.Sprintf("no template uses the axis %q, so its rows ask the same question again", axis.Name.Value), howToUse(axis))
	}
}

// howToUse says how to use an axis; numbers are mostly wanted to make answers differ.
func howToUse(axis Axis) string {
	if axis.Count > 0 {
		return fmt.Sprintf(`use it, for example as a seed: options: {seed: "{{ .%s }}"}`, axis.Name.Value)
	}
	return fmt.Sprintf("use it as {{ .%s }}, or remove it", axis.Name.Value)
}
