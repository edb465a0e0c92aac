// Command client lists the pitfalls, or plays one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	pitfalls "example.com/streams/06-pitfalls"
	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/internal/client"
	"example.com/streams/internal/command"
)

var (
	target   client.Target
	patience = flag.Duration("patience", 3*time.Second, "how long the broken and the fixed code may take, each")
)

func main() {
	target.Flags()
	os.Exit(command.Main("client", run))
}

func run(ctx context.Context) error {
	switch {
	case *patience <= 0:
		return command.Usagef("-patience %v: must be more than 0", *patience)
	case flag.NArg() == 0:
		return list()
	case flag.NArg() > 1:
		return command.Usagef("unexpected argument %q", flag.Arg(1))
	}
	pitfall, found := play.Find(pitfalls.Catalogue, flag.Arg(0))
	if !found {
		return command.Usagef("no pitfall %q; did you mean %s?", flag.Arg(0), pitfall.Name)
	}
	player := play.Player{Target: &target, Patience: *patience, Say: func(line string) { fmt.Println(line) }}
	return player.Show(ctx, pitfall)
}

func list() error {
	for _, p := range pitfalls.Catalogue {
		if _, err := fmt.Printf("%-20s %s\n", p.Name, p.Symptom); err != nil {
			return err
		}
	}
	return nil
}
