package main

import (
	"regexp"
	"slices"

	"github.com/spf13/cobra"
)

const longHelp = `runner asks your local language models for each row of a job: a YAML file with
prompts, the variables that fill them, models and limits. It writes the answers
in order, and every row ends ok or with a named failure.

  runner init translate         write a small job that works
  runner apply translate.yaml   run it`

// root makes the command that args are for: a tree with all commands, or with the
// one that args begin with.
func (a *app) root(args []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "runner",
		Short:                      "Ask local language models for every row of a job file",
		Long:                       longHelp,
		SilenceErrors:              true,
		SilenceUsage:               true,
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: false},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args:                       unknownCommand,
		SuggestionsMinimumDistance: 2,
	}
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but mistakes and failures")
	cmd.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "say more: every retry and every failed row")
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		strconvs := regexp.MustCompile(` flag: strconv\.Parse\w+: .*$`)
		text := strconvs.ReplaceAllString(err.Error(), ": it must be a number")
		return fail(exitMistake, "%s; see: %s --help", text, c.CommandPath())
	})

	a.addCommands(cmd, args)
	return cmd
}

// addCommands makes the command that args begin with, or all commands where that is
// none of them: only help, completion and suggestions need the others.
func (a *app) addCommands(cmd *cobra.Command, args []string) {
	const first, more = "first", "more"
	cmd.AddGroup(&cobra.Group{ID: first, Title: "Commands:"}, &cobra.Group{ID: more, Title: "More:"})
	cmd.SetHelpCommandGroupID(more)
	cmd.SetCompletionCommandGroupID(more)
	type command struct {
		name, group string
		make        func() *cobra.Command
	}
	commands := []command{
		{"init", first, a.initCommand},
		{"validate", first, a.validateCommand},
		{"plan", first, a.planCommand},
		{"apply", first, a.applyCommand},
		{"bench", first, a.benchCommand},
		{"report", first, a.reportCommand},
		{"models", more, a.modelsCommand},
		{"lock", more, a.lockCommand},
		{"runs", more, a.runsCommand},
		{"show", more, a.showCommand},
		{"store", more, a.storeCommand},
		{"simulate", more, a.simulateCommand},
		{"schema", more, a.schemaCommand},
		{"version", more, a.versionCommand},
		{"demo", "", a.demoCommand},
		{"exit-codes", "", exitCodesTopic},
	}
	named := slices.IndexFunc(commands, func(c command) bool { return len(args) > 0 && args[0] == c.name })
	if named >= 0 {
		commands = commands[named : named+1]
		cmd.CompletionOptions.DisableDefaultCmd = true
	}
	for _, c := range commands {
		made := c.make()
		made.GroupID = c.group
		cmd.AddCommand(made)
	}
	if len(args) > 0 && args[0] == "completion" {
		refuseOtherShells(cmd)
	}
}

// refuseOtherShells lets completion end with a mistake for a shell that cobra doesn't know.
func refuseOtherShells(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	cmd, _, err := root.Find([]string{"completion"})
	if err != nil || cmd == root {
		return
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fail(exitMistake, "there is no completion for %q, but for bash, zsh, fish and powershell", args[0])
		}
		return cmd.Help()
	}
}

// unknownCommand answers a first argument that is no command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see: runner --help"
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		hint = "did you mean " + names[0] + "?"
	} else if looksLikeJob(args[0]) {
		hint = "to run a job: runner apply " + args[0]
	}
	return fail(exitMistake, "there is no command %q; %s", args[0], hint)
}

// exitCodesTopic is a help topic without a command.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Exit codes:

  0    all rows are ok, or no more failed than max_failures allows
  1    finished, but more rows failed than max_failures
  2    the job file or the flags are wrong: nothing ran
  3    the model server cannot be used: it is down, a model is missing or does not fit
  4    another run of this job is under way
  5    outputs or the store of results cannot be written: disk full, no permission
  130  interrupted; what had finished is kept, and the same command goes on`,
	}
}
