package drift

// Says is for tests beside a real API server.
var Says = says

// RowIDs names the rows of our own table of what is no drift.
func RowIDs() []string {
	ids := make([]string, len(table))
	for i, r := range table {
		ids[i] = r.ID
	}
	return ids
}
