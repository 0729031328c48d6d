-- What one respondent's alert stands beside in time: decisions of devices and of cameras apart, since a device
-- that reports each minute would hide the car's last read behind a day of its own.
CREATE INDEX decision_party ON decision (order_id, respondent_id, (match_kind = 'DEVICE'), observed_at);
