package memory_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/07-production/memory"
	"example.com/streams/07-production/memory/internal/measure"
	"example.com/streams/internal/golden"
)

// Reading 16 MiB takes this many round trips, with a tolerance of 15 %.
var speeds = []struct {
	windows string
	opts    []grpc.DialOption
	trips   float64
}{
	{"defaults", nil, 20},
	{"1 MiB, static", []grpc.DialOption{grpc.WithStaticStreamWindowSize(mib), grpc.WithStaticConnWindowSize(mib)}, 23},
	{"`WithInitialWindowSize(1 << 20)`, nothing else", []grpc.DialOption{grpc.WithInitialWindowSize(mib)}, 345},
	{"64 KiB, static", memory.DialOptions(), 345},
}

func TestSpeed_IsWindowPerRoundTrip(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| Windows of the client | 1 ms | 20 ms | 100 ms |\n|---|---|---|---|")
	for _, tt := range speeds {
		fmt.Fprintf(table, "| %s ", tt.windows)
		for _, rtt := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			t.Run(tt.windows+" "+rtt.String(), func(t *testing.T) {
				trips := float64(transferTime(t, measure.Transfer{MiB: 16, RTT: rtt}, tt.opts...)) / float64(rtt)
				require.InEpsilon(t, tt.trips, trips, 0.15, "round trips")
			})
			seconds := tt.trips * rtt.Seconds()
			fmt.Fprintf(table, "| %.3g MiB/s ", twoDigits(16/seconds))
		}
		fmt.Fprintln(table, "|")
	}
	golden.Section(t, "README.md", "speed", table.String())
}

func twoDigits(f float64) float64 {
	magnitude := math.Pow(10, math.Floor(math.Log10(f))-1)
	return math.Round(f/magnitude) * magnitude
}

func transferTime(t *testing.T, transfer measure.Transfer, opts ...grpc.DialOption) (d time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		d, err = transfer.Time(t.Context(), opts...)
		require.NoError(t, err)
	})
	t.Logf("%v, %.1f round trips", d, float64(d)/float64(transfer.RTT))
	return d
}

// A second connection helps two streams that share a connection's window, and
// does not help if the connection's window is large enough for both.
func TestSpeed_SecondConnectionHelpsIfItsWindowIsFull(t *testing.T) {
	one := measure.Transfer{MiB: 2, RTT: 20 * time.Millisecond}
	sameConnection, twoConnections := one, one
	sameConnection.Streams = 2
	twoConnections.Connections = 2
	for name, tt := range map[string]struct {
		opts   []grpc.DialOption
		slower float64 // two streams on one connection, against one
	}{
		"connection window of 64 KiB": {[]grpc.DialOption{grpc.WithStaticStreamWindowSize(64 * kib)}, 2},
		"connection window of 1 MiB":  {memory.DialOptions(), 1},
	} {
		t.Run(name, func(t *testing.T) {
			alone := transferTime(t, one, tt.opts...)
			shared := transferTime(t, sameConnection, tt.opts...)
			require.InEpsilon(t, tt.slower*alone.Seconds(), shared.Seconds(), 0.1)
			require.Equal(t, alone, transferTime(t, twoConnections, tt.opts...))
		})
	}
}
