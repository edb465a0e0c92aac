package travels

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

const page = "../../docs/how-a-stream-travels.md"

var scenarios = slices.Concat(rpcTypes, endings, connections)

// UPDATE=1 draws the diagrams of the page again.
func TestDiagrams_AreWhatIsRecorded(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			events, err := record(t, s)
			require.Equal(t, s.ends.String(), status.Code(err).String(), "%v", err)
			golden.Section(t, page, s.name, "<!-- diagram: TestDiagrams_AreWhatIsRecorded -->\n"+diagram(events))
		})
	}
}

func TestDiagrams_AreTheSameInEachRun(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			first, _ := record(t, s)
			for range 20 {
				again, _ := record(t, s)
				require.Equal(t, diagram(first), diagram(again))
			}
		})
	}
}

func TestKeepalive_TimeoutOfAClientIs20s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := memservertest.Serve(t, register(waitingHandler{}))
		network := faultnet.New(server.DialContext)
		conn := server.Dial(t, append(clientKeepalive, grpc.WithContextDialer(network.DialContext))...)
		stream, err := pitfallsv1.NewPitfallServiceClient(conn).Count(t.Context(), &pitfallsv1.CountRequest{To: 1})
		require.NoError(t, err)
		synctest.Wait()
		network.Conn().HalfOpen()

		start := time.Now()
		_, err = stream.Recv()
		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
		require.Equal(t, 30*time.Second, time.Since(start), "10 s without a frame, and 20 s without an answer")
	})
}

// register returns the function that adds a service to a server.
func register(handler pitfallsv1.PitfallServiceServer) func(grpc.ServiceRegistrar) {
	return func(s grpc.ServiceRegistrar) { pitfallsv1.RegisterPitfallServiceServer(s, handler) }
}
