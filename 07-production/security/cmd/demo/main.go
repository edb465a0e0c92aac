// Command demo shows how a stream ends with its token, and outlives its
// certificate until the connection is too old. Server and clients talk TLS
// over loopback, with certificates that the demo makes.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc/status"

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

func say(who, format string, args ...any) {
	fmt.Printf("   %-10s %s\n", who, fmt.Sprintf(format, args...))
}

func naive(ctx context.Context, f *fixture) error {
	client, err := f.dial(f.clientTLS(), f.as("ada", time.Hour))
	if err != nil {
		return err
	}
	ada := f.follow(ctx, "ada", client)
	defer ada.stop()
	f.log.Append("hello", false)
	ada.read()

	say("server", "revokes ada's token")
	f.sessions.Revoke("ada")
	f.log.Append("secret", false)
	ada.read()
	return nil
}

func tokens(ctx context.Context, f *fixture) error {
	f.log.Append("hello", false)
	stranger, err := f.dial(&tls.Config{RootCAs: f.ca.Pool, ServerName: host}, f.as("eve", time.Hour))
	if err != nil {
		return err
	}
	_, err = firstEntry(ctx, stranger)
	say("eve", "%s, for her machine has no certificate", status.Code(err))

	nobody, err := f.dial(f.clientTLS())
	if err != nil {
		return err
	}
	_, err = firstEntry(ctx, nobody)
	say("bob", "%s", cli.Describe(err))
	return ada(ctx, f)
}

func ada(ctx context.Context, f *fixture) error {
	client, err := f.dial(f.clientTLS(), f.as("ada", time.Second))
	if err != nil {
		return err
	}
	ada := f.follow(ctx, "ada", client)
	defer ada.stop()
	ada.read()
	ada.read() // the first token expires

	say("server", "revokes ada's token")
	f.sessions.Revoke("ada")
	ada.read()

	say("ada", "opens a second stream, and a third")
	second := f.follow(ctx, "ada, 2nd", client)
	defer second.stop()
	second.read()
	third := f.follow(ctx, "ada, 3rd", client)
	defer third.stop()
	third.read()

	say("server", "locks ada out")
	f.locked.Store(true)
	f.sessions.Revoke("ada")
	ada.read()
	return nil
}

func certificates(ctx context.Context, f *fixture) error {
	conf := f.clientTLS()
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		say("dashboard", "connects; the server's certificate has serial %d", s.PeerCertificates[0].SerialNumber)
		return nil
	}
	client, err := f.dial(conf, f.as("ada", time.Hour))
	if err != nil {
		return err
	}
	ada := f.follow(ctx, "ada", client)
	defer ada.stop()
	f.log.Append("hello", false)
	ada.read()

	if err := f.renew(&f.server, host); err != nil {
		return err
	}
	say("server", "has a new certificate")
	f.log.Append("over the old connection", false)
	ada.read()
	ada.read() // the connection becomes too old
	return nil
}
