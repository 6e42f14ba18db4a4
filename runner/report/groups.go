package report

import (
	"slices"
	"time"
)

// A groupKey is what the tasks of a group have in common.
type groupKey struct {
	model, step string
	level       Level
}

// A measuredGroup is a group with the samples that its figures come from.
type measuredGroup struct {
	Group
	warm, cold []measure
	tasks, ok  int64 // asked, reused and failed unasked ones: all that pass_rate is of
	failure    string
	columns    sums
	loads      []float64 // seconds; of the model, before its tasks
}

// groups are the groups of a run as its tasks come in.
type groups struct {
	byKey map[groupKey]*measuredGroup
	list  []*measuredGroup // in the order of their first tasks
}

func newGroups() *groups { return &groups{byKey: make(map[groupKey]*measuredGroup)} }

func (gs *groups) of(t *Task) *measuredGroup {
	key := groupKey{t.Model, t.Step, t.Level}
	g := gs.byKey[key]
	if g == nil {
		g = &measuredGroup{Group: Group{Model: t.Model, Step: t.Step, Level: t.Level}}
		gs.byKey[key] = g
		gs.list = append(gs.list, g)
	}
	return g
}

func (gs *groups) add(began time.Time, t *Task) {
	g := gs.of(t)
	g.tasks++
	if t.failed() {
		g.addFailure(t)
		return
	}
	g.ok++
	if g.Sample == "" {
		g.Sample = cut(t.Response)
	}
	if t.asked() {
		g.addAnswer(began, t)
	}
}

// addLoad adds a load to each group of its model.
func (gs *groups) addLoad(l Load) {
	for _, g := range gs.list {
		if g.Model == l.Model {
			g.loads = append(g.loads, l.Took.Seconds())
		}
	}
}

func (gs *groups) addColumns(last *Task) {
	if len(last.Columns) > 0 {
		gs.of(last).columns.add(last.Columns)
	}
}

func (g *measuredGroup) addFailure(t *Task) {
	if g.failure == "" {
		g.failure = cut(t.Message)
	}
	if !t.asked() {
		return
	}
	g.Requests++
	if g.Failures == nil {
		g.Failures = make(map[string]int)
	}
	g.Failures[t.Class]++
}

func (g *measuredGroup) addAnswer(began time.Time, t *Task) {
	g.Requests++
	g.OK++
	g.PromptTokens += int64(t.PromptTokens)
	g.OutputTokens += int64(t.OutputTokens)
	if m := newMeasure(began, t); m.cold() {
		g.cold = append(g.cold, m)
	} else {
		g.warm = append(g.warm, m)
	}
}

// finish computes the groups' figures.
func (gs *groups) finish(bench *Bench, lag *Lag) []*measuredGroup {
	list := gs.adopted()
	for _, g := range list {
		g.Cold = len(g.cold)
		if g.ok == 0 {
			g.Error = g.failure
		}
		g.stats()
		g.throughput(bench)
		g.Quality = append(passRate(g.ok, g.tasks), g.columns.list()...)
		g.Doubtful = doubtful(&g.Group, g.warm, lag)
	}
	return list
}

// adopted returns the groups, tasks without a model joined to the one model that their
// step and level have. With several models, or with none, nobody can say whose they
// would have been: they stay a group of their own, without a model's name, since a pass
// rate that left them out would flatter.
func (gs *groups) adopted() []*measuredGroup {
	var list []*measuredGroup
	for _, g := range gs.list {
		if parent := gs.parent(g); parent != nil {
			parent.join(g)
		} else {
			list = append(list, g)
		}
	}
	return list
}

// parent returns the one model's group that tasks without a model belong to, if any.
func (gs *groups) parent(orphan *measuredGroup) *measuredGroup {
	if orphan.Model != "" {
		return nil
	}
	var parent *measuredGroup
	for _, g := range gs.list {
		if g == orphan || g.Step != orphan.Step || g.Level != orphan.Level {
			continue
		}
		if parent != nil {
			return nil
		}
		parent = g
	}
	return parent
}

func (g *measuredGroup) join(other *measuredGroup) {
	g.tasks += other.tasks
	g.ok += other.ok
	g.Requests += other.Requests
	g.OK += other.OK
	g.PromptTokens += other.PromptTokens
	g.OutputTokens += other.OutputTokens
	for class, n := range other.Failures {
		if g.Failures == nil {
			g.Failures = make(map[string]int)
		}
		g.Failures[class] += n
	}
	g.warm = append(g.warm, other.warm...)
	g.cold = append(g.cold, other.cold...)
	g.columns.join(other.columns)
	if g.failure == "" {
		g.failure = other.failure
	}
	if g.Sample == "" {
		g.Sample = other.Sample
	}
}

func reported(list []*measuredGroup) []Group {
	groups := make([]Group, 0, len(list)) // never null in JSON
	for _, g := range list {
		groups = append(groups, g.Group)
	}
	return groups
}

func (g *measuredGroup) stats() {
	g.Latency = figureOf((*measure).latencyFigure).stat(g.warm)
	g.TTFT = figureOf((*measure).ttftFigure).stat(g.warm)
	g.TPOT = figureOf((*measure).tpotFigure).stat(g.warm)
	g.Chunks = figureOf((*measure).chunkFigure).stat(g.warm)
	g.Load = newStat(append(g.loads, figureOf((*measure).loadFigure).values(g.cold)...))
	g.Queue = figureOf((*measure).queueFigure).stat(g.warm)
	g.Prompt = figureOf((*measure).promptFigure).stat(g.warm)
	g.Generate = figureOf((*measure).generateFigure).stat(g.warm)
	g.TokensPerSecond = figureOf((*measure).speedFigure).stat(g.warm)
	g.PromptTokensPerSecond = figureOf((*measure).promptSpeedFigure).stat(g.warm)
	g.Late = figureOf((*measure).lateFigure).stat(g.warm)
	if g.Level.Rate > 0 {
		g.Schedule = figureOf((*measure).scheduleFigure).stat(g.warm)
	}
	if slices.ContainsFunc(g.warm, func(m measure) bool { return m.text > m.first && m.first > 0 }) {
		g.TTFText = figureOf((*measure).textFigure).stat(g.warm)
	}
}

// modelsOf are the models of groups, each once.
func modelsOf(groups []Group) []string {
	var models []string
	for i := range groups {
		if !slices.Contains(models, groups[i].Model) {
			models = append(models, groups[i].Model)
		}
	}
	return models
}
