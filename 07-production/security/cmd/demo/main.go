// Command demo shows how a stream ends with its token, and outlives its
// certificate until the connection is too old. Server and clients talk TLS
// over loopback, with certificates that the demo makes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/streams/internal/cli"
)

func main() { os.Exit(cli.Main("demo", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	for _, act := range []struct {
		title string
		age   time.Duration
		naive bool
		show  func(context.Context, *fixture) error
	}{
		{"1. A check when the stream opens, and never again", 0, true, naive},
		{"2. A check that lasts as long as the stream", 0, false, tokens},
		{"3. A limit for the age of a connection", 2 * time.Second, false, certificates},
	} {
		fmt.Println(act.title)
		f, err := start(ctx, act.age, act.naive)
		if err != nil {
			return err
		}
		if err := errors.Join(act.show(ctx, f), f.close(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
