// Command client lists the pitfalls, or finds one and runs its demo.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	pitfalls "example.com/streams/06-pitfalls"
	"example.com/streams/06-pitfalls/internal/demo"
	"example.com/streams/internal/cli"
)

var (
	target = cli.ClientFlags()
	limit  = flag.Duration("limit", 3*time.Second, "how long the broken and the fixed code of a demo may run, each")
)

func main() { os.Exit(cli.Main("client [flags] [WORDS]", run)) }

func run(ctx context.Context) error {
	if *limit < 2*time.Second { // the fixed code of some demos takes over a second
		return cli.Usagef("-limit: must be at least 2s, got %v", *limit)
	}
	all, err := pitfalls.Catalog()
	if err != nil {
		return err
	}
	if flag.NArg() == 0 {
		return list(all)
	}
	words := strings.Join(flag.Args(), " ")
	found, texts := pitfalls.Find(all, words), pitfalls.FindErrors(words)
	if len(found)+len(texts) == 0 {
		return guess(words, pitfalls.Nearest(all, words))
	}
	if err := explain(texts); err != nil {
		return err
	}
	if len(found) == 1 {
		return show(ctx, found[0])
	}
	return list(found)
}

func list(found []pitfalls.Pitfall) error {
	for _, p := range found {
		if _, err := fmt.Printf("%-22s  %s\n", p.Name, p.See); err != nil {
			return err
		}
	}
	return nil
}

// guess prints what shares words with a question that nothing matches.
func guess(words string, nearest []pitfalls.Near) error {
	if len(nearest) == 0 {
		return cli.Usagef("no pitfall and no text of docs/errors.md shares a word with %q; "+
			"without words, client lists the pitfalls", words)
	}
	var page strings.Builder
	fmt.Fprintf(&page, "Nothing has %q. Of an error, give the text behind the last \"desc =\".\n"+
		"If streams end after a regular time, see the table in 06-pitfalls/README.md.\nThe nearest:\n", words)
	for _, n := range nearest {
		fmt.Fprintf(&page, "\n%s\n    %s\n", n.Text, n.Page)
	}
	_, err := fmt.Print(page.String())
	return err
}

// explain prints rows of docs/errors.md.
func explain(texts []pitfalls.ErrorText) error {
	for _, e := range texts {
		if _, err := fmt.Printf("%s\n    caused by %s\n    %s\n\n", e.Shows, e.Who, e.Help); err != nil {
			return err
		}
	}
	return nil
}

// show prints the first lines of a page, and runs the demo if there is one.
func show(ctx context.Context, p pitfalls.Pitfall) error {
	page := fmt.Sprintf("%s\n\nYou see: %s.\n", p.Name, p.See)
	if p.Errors != "" {
		page += fmt.Sprintf("\n    %s\n\n", strings.ReplaceAll(strings.TrimSpace(p.Errors), "\n", "\n    "))
	}
	page += fmt.Sprintf("Fix:     %s.\nPage:    06-pitfalls/%s/README.md\n", p.Fix, p.Name)
	d, ok := pitfalls.Demos[p.Name]
	if ok {
		page += "\n"
	}
	if _, err := fmt.Print(page); err != nil || !ok {
		return err
	}
	runner := demo.Runner{Target: target, Limit: *limit, Out: os.Stdout}
	return runner.Run(ctx, p.Name, d)
}
