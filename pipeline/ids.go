package pipeline

import "hash/maphash"

// ids tells whether an id was seen before. It keeps 128 bits of hash for each and
// the row's number, not the ids: 30 to 60 bytes a row, so that millions of rows
// with long ids fit. Two different ids are taken for one with a probability below
// 1 in 10^24 for ten million rows.
type ids struct {
	seeds [2]maphash.Seed
	rows  map[[2]uint64]int64
}

func newIDs() *ids {
	return &ids{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, rows: map[[2]uint64]int64{}}
}

// add notes a row's id. It is false where an earlier row has it, with that row's number.
func (s *ids) add(id string, row int64) (first int64, ok bool) {
	key := [2]uint64{maphash.String(s.seeds[0], id), maphash.String(s.seeds[1], id)}
	if first, seen := s.rows[key]; seen {
		return first, false
	}
	s.rows[key] = row
	return row, true
}
