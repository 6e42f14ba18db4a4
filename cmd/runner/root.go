package main

import (
	"regexp"

	"github.com/spf13/cobra"
)

// notNumber is what strconv says of a flag's value.
var notNumber = regexp.MustCompile(` flag: strconv\.Parse\w+: .*$`)

const longHelp = `runner asks your local language models for each row of a job: a YAML file with
prompts, the variables that fill them, models and limits. It writes the answers
in order, and every row ends ok or with a named failure.

  runner init translate         write a small job that works
  runner apply translate.yaml   run it`

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
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
		text := notNumber.ReplaceAllString(err.Error(), ": it must be a number")
		return fail(exitMistake, "%s; see: %s --help", text, c.CommandPath())
	})

	cmd.AddGroup(&cobra.Group{ID: "first", Title: "Commands:"}, &cobra.Group{ID: "more", Title: "More:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			cmd.AddCommand(c)
		}
	}
	add("first", a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand())
	add("more", a.modelsCommand(), a.simulateCommand(), a.schemaCommand(), a.versionCommand())
	cmd.AddCommand(a.demoCommand(), exitCodesTopic())
	cmd.SetHelpCommandGroupID("more")
	cmd.SetCompletionCommandGroupID("more")
	return cmd
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
  5    outputs cannot be written: disk full, no permission
  130  interrupted; what had finished is kept`,
	}
}
