package protocol

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

func TestHello_RefusesAClientThatIsTooOldOrNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Run: new(job).run})
		for message, versions := range map[string][]uint32{
			"versions: must contain 2, got [1]":   {1},
			"versions: must contain 2, got [3 4]": {3, 4},
			"versions: must contain 2, got []":    nil,
		} {
			stream, err := client.Work(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.Send(helloMessage(&jobsv1.Hello{Versions: versions})))
			requireStatus(t, drain(stream), codes.FailedPrecondition, message)
		}
	})
}

func TestHello_ChoosesOneOfTheVersions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := dial(t, &Server{Run: new(job).run}).Work(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(helloMessage(&jobsv1.Hello{Versions: []uint32{1, 2, 3}})))
		resp, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, uint32(2), resp.GetWelcome().GetVersion())
		require.NoError(t, stream.CloseSend())
		require.NoError(t, drain(stream))
	})
}

func TestHello_MustBeTheFirstMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Run: new(job).run})
		for name, begin := range map[string]func(clientStream) error{
			"an input":      func(s clientStream) error { return send(s, 1, "1s") },
			"a newer event": func(s clientStream) error { return s.Send(newer(new(jobsv1.WorkRequest))) },
			"a half-close":  clientStream.CloseSend,
		} {
			t.Log(name)
			stream, err := client.Work(t.Context())
			require.NoError(t, err)
			require.NoError(t, begin(stream))
			requireStatus(t, drain(stream), codes.InvalidArgument, "hello: must be the first message")
		}
	})
}

func TestWelcome_MustHaveTheVersionAndCredits(t *testing.T) {
	for name, test := range map[string]struct {
		first *jobsv1.WorkResponse
		want  string
	}{
		"newer":       {welcome(3, 4), "got version 3 and 4 credits"},
		"no credits":  {welcome(2, 0), "got version 2 and 0 credits"},
		"no welcome":  {output(1, "early"), "got version 0 and 0 credits"},
		"no messages": {nil, "got version 0 and 0 credits"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := dial(t, stub{OnWork: func(stream workStream) error {
					if test.first == nil {
						return nil
					}
					if err := stream.Send(test.first); err != nil {
						return err
					}
					<-stream.Context().Done()
					return nil
				}})
				_, err := lines(Work(t.Context(), client, slices.Values([]string{"a"})))
				require.ErrorContains(t, err, "welcome: must have version 2 and credits, "+test.want)
			})
		})
	}
}

func TestCapability_AcceptedOnlyForWhoAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Run: new(job).run})
		events := func(capabilities ...jobsv1.Capability) (accepted, done int) {
			stream := open(t, client, capabilities...)
			require.NoError(t, send(stream, 1, "1s"))
			require.NoError(t, stream.CloseSend())
			for {
				resp, err := stream.Recv()
				switch {
				case err != nil:
					return accepted, done
				case resp.GetAccepted() != nil:
					accepted++
				case resp.GetDone():
					done++
				}
			}
		}
		accepted, done := events(jobsv1.Capability_CAPABILITY_ACCEPTED)
		require.Equal(t, []int{1, 1}, []int{accepted, done})
		accepted, done = events(99) // of a newer client
		require.Equal(t, []int{0, 1}, []int{accepted, done})
	})
}
