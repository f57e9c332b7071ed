"""The rules of the shared record: who may see, write and relabel, and who may open it to whom."""
