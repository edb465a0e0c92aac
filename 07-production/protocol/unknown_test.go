package protocol

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

func TestUnknown_EventIsNilAndItsBytesAreKept(t *testing.T) {
	wire, err := proto.Marshal(newer(&jobsv1.WorkResponse{Item: 7, Done: true}))
	require.NoError(t, err)
	got := new(jobsv1.WorkResponse)
	require.NoError(t, proto.Unmarshal(wire, got))

	require.Nil(t, got.GetEvent())
	require.Equal(t, uint64(7), got.GetItem())
	require.True(t, got.GetDone())
	require.Contains(t, string(got.ProtoReflect().GetUnknown()), "new")
}

// With 1 credit, a client that ignores all of an unknown event never sends
// its second item.
func TestUnknown_ClientGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnWork: func(stream workStream) error {
			_, hello := stream.Recv()
			greeted := stream.Send(welcome(2, 1))
			_, first := stream.Recv()
			err := errors.Join(hello, greeted, first,
				stream.Send(newer(&jobsv1.WorkResponse{Item: 1})),
				stream.Send(newer(&jobsv1.WorkResponse{Item: 1, Done: true})))
			if _, second := stream.Recv(); second != nil {
				return errors.Join(err, second)
			}
			return errors.Join(err, stream.Send(output(2, "two")))
		}})
		got, err := lines(Work(t.Context(), client, slices.Values([]string{"a", "b"})))
		require.NoError(t, err)
		require.Equal(t, []string{"1: Unimplemented: event: must be one that the client knows", "2: two"}, got)
	})
}

func TestUnknown_ServerAnswersInBand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := open(t, dial(t, &Server{Run: new(job).run}))
		require.NoError(t, stream.Send(newer(&jobsv1.WorkRequest{Item: 7})))
		resp, err := stream.Recv()
		require.NoError(t, err)
		require.Equal(t, uint64(7), resp.GetItem())
		require.True(t, resp.GetDone())
		requireStatus(t, result(resp).Err, codes.Unimplemented, "event: must be one that the server knows")

		require.NoError(t, send(stream, 8, "1s"))
		resp, err = stream.Recv()
		require.NoError(t, err)
		require.Equal(t, "slept 1s", resp.GetOutput())
	})
}
