package specs

// checks are what a job must keep to beyond its shape, each in a file of its own.
// They see a draft with mistakes in it, and say nothing where they can't know.
var checks = []func(*draft){
	checkFlags,
	checkNames,
	checkEntries,
	checkReferences,
	checkSteps,
	checkLoadOptions,
	checkOutputPaths,
	checkThresholds,
	checkReportPaths,
	checkUnusedAxes,
	checkUnusedIncludes,
}
