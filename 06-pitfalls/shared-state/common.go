package sharedstate

import (
	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type sumStream = grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]
