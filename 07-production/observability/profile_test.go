package observability

import (
	"bytes"
	"fmt"
	"path"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

// handlers returns the stacks of StreamLogs in a goroutine profile, as far as
// this function, with their number.
func handlers(t *testing.T) string {
	t.Helper()
	var profile bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	var out strings.Builder
	for entry := range strings.SplitSeq(profile.String(), "\n\n") {
		above, _, ok := strings.Cut(entry, "logs.(*LogServer).StreamLogs+")
		if !ok {
			continue
		}
		number, above, _ := strings.Cut(above, " @ ")
		fmt.Fprintf(&out, "%s @\n", number)
		for line := range strings.Lines(above) {
			if fields := strings.Fields(line); fields[0] == "#" && len(fields) > 3 {
				name, _, _ := strings.Cut(path.Base(fields[2]), "+")
				fmt.Fprintf(&out, "  %s\n", name)
			}
		}
		out.WriteString("  logs.(*LogServer).StreamLogs\n")
	}
	return out.String()
}

func TestGoroutineProfile_TellsWaitingFromBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logs.NewLog(1000)
		conn := memservertest.Dial(t, register(log))
		for range 7 {
			_, err := logsv1.NewLogServiceClient(conn).StreamLogs(t.Context(),
				&logsv1.LogRequest{Follow: true, Contains: "no such text"})
			require.NoError(t, err)
		}
		follow(t.Context(), t, conn, 0) // and reads nothing
		for range 1000 {
			log.Append(strings.Repeat("x", 1000), false)
		}
		synctest.Wait()
		golden.File(t, "testdata/profile.txt", handlers(t))
	})
}
