package bidi_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/testproc"
)

// KILLS=20 go test -run Kills kills more clients.
func TestKills_OthersAreToldAndTheNameIsFree(t *testing.T) {
	kills := 5
	if s := os.Getenv("KILLS"); s != "" {
		var err error
		kills, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	dir := testproc.Build(t, "./cmd/...")
	client := filepath.Join(dir, "client")
	_, addr := testproc.StartServer(t, filepath.Join(dir, "server"))
	bob := testproc.Start(t, client, "-addr", addr, "-name=bob")
	requireLines(t, bob, "* bob joined")

	var said strings.Builder
	for i := range 100 {
		fmt.Fprintln(&said, i)
	}
	before, during := 0, 0
	for range kills {
		ann := testproc.Start(t, client, "-addr", addr)
		ann.Type(said.String())
		<-time.After(rand.N(100 * time.Millisecond)) // a random moment before the join or during the texts
		ann.Signal(os.Kill)

		rejoin(t, client, addr)
		line := bob.Line(bob.Stdout)
		require.Equal(t, "* ann joined", line)
		next := 0
		for line = bob.Line(bob.Stdout); line == fmt.Sprint("ann: ", next); line = bob.Line(bob.Stdout) {
			next++
		}
		if line == "* ann was disconnected" {
			during++
			requireLines(t, bob, "* ann joined", "ann: back", "* ann left")
		} else { // she had not joined
			before++
			require.Zero(t, next)
			require.Equal(t, "ann: back", line)
			requireLines(t, bob, "* ann left")
		}
	}
	t.Logf("%d kills: %d before the join, %d after", kills, before, during)
	bob.RequireExit(0, "", "")
}

// rejoin lets another ann come, speak and leave. The server may take a
// moment to notice that the one before was killed.
func rejoin(t *testing.T, client, addr string) {
	t.Helper()
	for start := time.Now(); ; {
		ann := testproc.Start(t, client, "-addr", addr)
		ann.Type("back\n")
		status, _, stderr := ann.Wait()
		if status == 0 {
			return
		}
		require.Contains(t, stderr, "AlreadyExists")
		require.Less(t, time.Since(start), 5*time.Second, "the name is still taken")
	}
}
